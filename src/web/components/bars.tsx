import { share } from "../format.js";

interface Bar {
  readonly name: string;
  /** 0 to 1. */
  readonly probability: number;
  /** Whether it is what the picture really is; undefined where nobody knows. */
  readonly isLabel?: boolean;
}

/** The most probable classes of a picture, the most probable first. */
export function Bars({ bars }: { readonly bars: readonly Bar[] }) {
  const known = bars.some(({ isLabel }) => isLabel !== undefined);
  return (
    <ol class={known ? "bars" : "bars neutral"}>
      {bars.map(({ name, probability, isLabel }) => (
        <li key={name} class={isLabel ? "hit" : undefined}>
          <span class="bar" style={{ width: `${(100 * probability).toFixed(1)}%` }} />
          <span class="name">{name}</span>
          <span class="share">{share(probability)}</span>
        </li>
      ))}
    </ol>
  );
}
