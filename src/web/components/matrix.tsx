import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { ShownPicture } from "../../report/data.js";
import { cellKey, commonMistakes, mostConfused } from "../../scoring/confusion.js";
import type { ClassScores, ConfusionCell } from "../../scoring/scores.js";
import { thousands } from "../../text.js";
import { share } from "../format.js";
import { csvOf, Download } from "./download.js";
import { Pictures } from "./pictures.js";
import { Table } from "./table.js";

interface MatrixProps {
  readonly classes: readonly ClassScores[];
  readonly confusion: readonly ConfusionCell[];
  /** Some of a cell's pictures. */
  picturesOf(cell: ConfusionCell): readonly ShownPicture[];
  sourceOf(picture: ShownPicture): string;
  /** What stands below each picture besides its verdict. */
  below?(picture: ShownPicture): ComponentChildren;
}

/** Which class was taken for which; a cell that is chosen shows its pictures. */
export function Matrix({ classes, confusion, picturesOf, sourceOf, below }: MatrixProps) {
  const [chosen, choose] = useState<ConfusionCell>();
  const shown = useMemo(() => mostConfused(confusion, classes.length), [confusion, classes]);
  const cells = useMemo(() => new Map(confusion.map((cell) => [cellKey(cell), cell])), [confusion]);
  const nameOf = (output: number): string => classes[output]?.name ?? "nothing";
  const button = (cell: ConfusionCell, samples: number) => {
    const says = `${cell.count} of ${samples} ${nameOf(cell.label)} predicted as ${nameOf(cell.predicted)}`;
    return (
      <button
        type="button"
        data-cell={cellKey(cell)}
        aria-pressed={chosen !== undefined && cellKey(chosen) === cellKey(cell)}
        aria-label={says}
        title={says}
        onClick={() => choose(cell)}
      >
        {cell.count}
      </button>
    );
  };
  return (
    <>
      <p>
        {shown.length < classes.length &&
          `The ${shown.length} of ${thousands(classes.length)} classes that are confused the most. `}
        Each row is a class, each column what its pictures were taken for. Choose a cell to see its pictures.
      </p>
      <div class="confusion">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard */}
        <section class="scroll" tabIndex={0} aria-label="Confusion matrix">
          <table class="matrix">
            <thead>
              <tr>
                <td />
                {shown.map((i) => (
                  <th key={i} scope="col" title={nameOf(i)}>
                    <span>{nameOf(i)}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map((label) => (
                <tr key={label}>
                  <th scope="row" title={nameOf(label)}>
                    {nameOf(label)}
                  </th>
                  {shown.map((predicted) => {
                    const cell = cells.get(cellKey({ label, predicted }));
                    if (cell === undefined) return <td key={predicted} />;
                    const samples = classes[label]?.samples ?? cell.count;
                    return (
                      <td
                        key={predicted}
                        class={label === predicted ? "hit" : "miss"}
                        style={{ "--share": (cell.count / samples).toFixed(3) }}
                      >
                        {button(cell, samples)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <section id="cell" class="cell" aria-live="polite" aria-label="Pictures of the chosen cell">
          {chosen === undefined ? (
            <p class="placeholder">No cell is chosen.</p>
          ) : (
            <CellPictures
              cell={chosen}
              title={
                chosen.label === chosen.predicted
                  ? `${nameOf(chosen.label)}, rightly`
                  : `${nameOf(chosen.label)} predicted as ${nameOf(chosen.predicted)}`
              }
              pictures={picturesOf(chosen)}
              sourceOf={sourceOf}
              below={below}
            />
          )}
        </section>
      </div>
      <CommonMistakes {...{ classes, confusion, nameOf, choose }} />
      <p>
        <Download name="confusion.csv" type="text/csv" content={() => matrixCsv(classes, cells)}>
          Download the matrix as CSV
        </Download>
      </p>
    </>
  );
}

interface CellPicturesProps extends Pick<MatrixProps, "sourceOf" | "below"> {
  readonly cell: ConfusionCell;
  readonly title: string;
  readonly pictures: readonly ShownPicture[];
}

function CellPictures({ cell: { count }, title, pictures, sourceOf, below }: CellPicturesProps) {
  return (
    <>
      <h3>
        {title}: {pictures.length < count ? `${pictures.length} of ${thousands(count)}` : thousands(count)}
      </h3>
      {pictures.length === 0 ? (
        <p class="soft">No room was left for these pictures.</p>
      ) : (
        <Pictures pictures={pictures} sourceOf={sourceOf} below={below} />
      )}
    </>
  );
}

interface CommonMistakesProps extends Pick<MatrixProps, "classes" | "confusion"> {
  nameOf(output: number): string;
  choose(cell: ConfusionCell): void;
}

function CommonMistakes({ classes, confusion, nameOf, choose }: CommonMistakesProps) {
  const pairs = useMemo(() => commonMistakes(confusion), [confusion]);
  if (pairs.length === 0) return <p>No picture was predicted as another class.</p>;
  const shareOf = ({ label, count }: ConfusionCell): number => count / (classes[label]?.samples ?? count);
  const show = (cell: ConfusionCell): void => {
    choose(cell);
    document.getElementById("cell")?.scrollIntoView({ block: "nearest" });
  };
  return (
    <details>
      <summary>The most frequent mistakes</summary>
      <Table
        label="The most frequent mistakes"
        file="mistakes"
        rows={pairs}
        keyOf={(cell: ConfusionCell) => cellKey(cell)}
        columns={[
          { name: "class", value: ({ label }) => nameOf(label), text: true },
          { name: "predicted as", value: ({ predicted }) => nameOf(predicted), text: true },
          {
            name: "pictures",
            value: ({ count }) => count,
            show: (cell) => (
              <button
                type="button"
                class="number-link"
                aria-label={`${cell.count} ${nameOf(cell.label)} predicted as ${nameOf(cell.predicted)}`}
                onClick={() => show(cell)}
              >
                {thousands(cell.count)}
              </button>
            ),
          },
          { name: "of its class", value: shareOf, show: (cell) => share(shareOf(cell)) },
        ]}
      />
    </details>
  );
}

function matrixCsv(classes: readonly ClassScores[], cells: ReadonlyMap<string, ConfusionCell>): string {
  const counts = (label: number): number[] =>
    classes.map((_, predicted) => cells.get(cellKey({ label, predicted }))?.count ?? 0);
  return csvOf([["class", ...classes.map(({ name }) => name)], ...classes.map(({ name }, i) => [name, ...counts(i)])]);
}
