import { useEffect, useRef, useState } from "preact/hooks";
import { Bars } from "../components/bars.js";
import { csvOf, Download } from "../components/download.js";
import type { Answer, Classifier } from "./classifier.js";
import { PictureInput } from "./picture-input.js";
import "./classify.css";

interface Shot {
  readonly id: number;
  readonly file: File;
  readonly url: string;
  readonly views: number;
  readonly answer?: Answer;
  readonly place?: string;
  readonly problem?: string;
}

const MOST_SHOTS = 200; // kept on the page; older ones go

/** Takes pictures and shows what they are taken for. @param classifier undefined until it is ready */
export function Classify({ classifier }: { readonly classifier: Classifier | undefined }) {
  const [shots, setShots] = useState<readonly Shot[]>([]);
  const [views, setViews] = useState(1);
  const last = useRef(0);
  const queue = useRef(Promise.resolve());
  useEffect(() => () => setShots(forget), []);

  const settle = (id: number, result: Partial<Shot>): void =>
    setShots((all) => all.map((shot) => (shot.id === id ? { ...shot, ...result } : shot)));
  const ask = (shot: Shot, by: Classifier): void => {
    // One after the other: a batch of dropped pictures must not ask for all memory at once.
    queue.current = queue.current.then(async () => {
      try {
        settle(shot.id, { answer: await by.classify(shot.file, shot.views), place: by.place });
      } catch (error) {
        settle(shot.id, { problem: error instanceof Error ? error.message : String(error) });
      }
    });
  };
  const take = (pictures: readonly File[]): void => {
    if (classifier === undefined) return;
    const taken = pictures.map((file): Shot => ({ id: ++last.current, file, url: URL.createObjectURL(file), views }));
    setShots((all) => {
      const kept = [...[...taken].reverse(), ...all];
      forget(kept.slice(MOST_SHOTS));
      return kept.slice(0, MOST_SHOTS);
    });
    for (const shot of taken) ask(shot, classifier);
  };
  const answered = shots.filter(({ answer }) => answer !== undefined);
  return (
    <div class="classify">
      <PictureInput ready={classifier !== undefined} take={take} />
      <div class="head">
        <label class="row">
          <input
            type="checkbox"
            checked={views === 10}
            onChange={({ currentTarget }) => setViews(currentTarget.checked ? 10 : 1)}
          />
          Ten views of each picture <span class="soft">(more exact, ten times the work)</span>
        </label>
        {shots.length > 0 && (
          <div class="row">
            <Download name="predictions.csv" type="text/csv" content={() => csv(answered)}>
              CSV
            </Download>
            <Download name="predictions.json" type="application/json" content={() => json(answered)}>
              JSON
            </Download>
            <button type="button" class="button small" onClick={() => setShots(forget)}>
              Clear
            </button>
          </div>
        )}
      </div>
      <ul class="shots" aria-live="polite" aria-label="What the pictures are predicted as">
        {shots.map((shot) => (
          <li key={shot.id} class="card">
            <img src={shot.url} alt={shot.file.name} />
            <div class="stack">
              <h2 title={shot.file.name}>{shot.file.name}</h2>
              <Verdict shot={shot} />
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Verdict({ shot: { answer, problem, views, place } }: { readonly shot: Shot }) {
  if (problem !== undefined)
    return (
      <p class="wrong" role="alert">
        {problem}
      </p>
    );
  if (answer === undefined) return <p class="soft waiting">looking …</p>;
  return (
    <>
      <Bars bars={answer.predictions.map(({ class: name, probability }) => ({ name, probability }))} />
      <p class="soft small">
        {views === 1 ? "centre view" : `${views} views`}, {place}, {Math.round(answer.milliseconds)} ms
      </p>
    </>
  );
}

function forget(shots: readonly Shot[]): readonly Shot[] {
  for (const { url } of shots) URL.revokeObjectURL(url);
  return [];
}

function csv(shots: readonly Shot[]): string {
  const rows = shots.map(({ file, answer }) => [
    file.name,
    ...(answer?.predictions.flatMap(({ class: name, probability }) => [name, probability]) ?? []),
  ]);
  const places = [1, 2, 3, 4, 5].flatMap((i) => [`class ${i}`, `probability ${i}`]);
  return csvOf([["file", ...places], ...rows]);
}

function json(shots: readonly Shot[]): string {
  const rows = shots.map(({ file, views, answer }) => ({
    file: file.name,
    views,
    predictions: answer?.predictions,
  }));
  return `${JSON.stringify(rows, undefined, 2)}\n`;
}
