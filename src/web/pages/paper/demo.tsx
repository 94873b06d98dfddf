import { useEffect, useRef, useState } from "preact/hooks";
import type { PaperDemo, PaperFigure } from "../../../server/api-types.js";
import { paperFigures } from "../../api/paper.js";

export interface Slider {
  readonly name: string;
  readonly label: string;
  readonly low: number;
  readonly high: number;
  readonly step: number;
  readonly start: number;
  show?(value: number): string;
}

interface Switch {
  readonly name: string;
  readonly label: string;
  readonly start: boolean;
}

interface DemoProps {
  readonly demo: PaperDemo;
  readonly picture: Blob | undefined;
  readonly sliders: readonly Slider[];
  readonly switches?: readonly Switch[];
}

const PATIENCE = 120; // milliseconds after the last move of a slider

/** Something to touch: what the engine makes of the picture with the numbers that are chosen. */
export function Demo({ demo, picture, sliders, switches = [] }: DemoProps) {
  const [values, setValues] = useState<Readonly<Record<string, number | boolean>>>(() =>
    Object.fromEntries([...sliders, ...switches].map(({ name, start }) => [name, start])),
  );
  const [figures, setFigures] = useState<readonly PaperFigure[]>();
  const [problem, setProblem] = useState<string>();
  const isFirst = useRef(true);
  useEffect(() => {
    if (picture === undefined) return;
    const stop = new AbortController();
    const timer = setTimeout(
      () =>
        paperFigures(demo, picture, values, stop.signal).then(
          (answer) => {
            setFigures(answer);
            setProblem(undefined);
          },
          (error: Error) => {
            if (!stop.signal.aborted) setProblem(error.message);
          },
        ),
      isFirst.current ? 0 : PATIENCE,
    );
    isFirst.current = false;
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [demo, picture, values]);
  const set = (name: string, value: number | boolean): void => setValues((all) => ({ ...all, [name]: value }));
  return (
    <div class="demo">
      <div class="knobs">
        {sliders.map(({ name, label, low, high, step, show = String }) => (
          <label key={name} class="knob">
            <span>{label}</span>
            <input
              type="range"
              min={low}
              max={high}
              step={step}
              value={Number(values[name])}
              onInput={({ currentTarget }) => set(name, currentTarget.valueAsNumber)}
            />
            <output class="numbers">{show(Number(values[name]))}</output>
          </label>
        ))}
        {switches.map(({ name, label }) => (
          <label key={name} class="row">
            <input
              type="checkbox"
              checked={values[name] === true}
              onChange={({ currentTarget }) => set(name, currentTarget.checked)}
            />
            {label}
          </label>
        ))}
      </div>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {problem}
        </p>
      )}
      <div class="figures">
        {figures === undefined && problem === undefined && <p class="placeholder">computing …</p>}
        {figures?.map(({ title, image, note }) => (
          <figure key={title}>
            <img src={image} alt={title} />
            <figcaption>
              {title}
              {note !== undefined && <span class="soft"> {note}</span>}{" "}
              <a href={image} download={`${title}.png`}>
                PNG
              </a>
            </figcaption>
          </figure>
        ))}
      </div>
    </div>
  );
}
