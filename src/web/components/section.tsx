import type { ComponentChildren } from "preact";

interface SectionProps {
  readonly id: string;
  readonly title: string;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A card with a heading that can be linked to. */
export function Section({ id, title, tools, children }: SectionProps) {
  return (
    <section id={id} class="card" aria-labelledby={`${id}-title`}>
      <div class="head">
        <h2 id={`${id}-title`}>{title}</h2>
        {tools !== undefined && <div class="row">{tools}</div>}
      </div>
      {children}
    </section>
  );
}

interface TileProps {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
}

/** A figure that is read on its own. */
export function Tile({ label, value, note }: TileProps) {
  return (
    <li>
      {label}
      <strong>{value}</strong>
      {note !== undefined && <span>{note}</span>}
    </li>
  );
}

export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: string])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
