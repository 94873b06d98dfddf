import { wilsonInterval } from "../../scoring/interval.js";
import { type ClassScores, errors, f1, precisionAndRecall } from "../../scoring/scores.js";
import { thousands } from "../../text.js";
import { share, shareRange } from "../format.js";
import { type Column, Table } from "./table.js";

const intervalOf = ({ samples, top1Correct }: ClassScores) => wilsonInterval(samples - top1Correct, samples);
const shareColumn = (name: string, value: (row: ClassScores) => number): Column<ClassScores> => ({
  name,
  value,
  show: (row) => share(value(row)),
});

function takenFor({ takenFor: most }: ClassScores): string {
  return most === undefined ? "" : `${most.name} (${most.count})`;
}

const top5 = shareColumn("top-5 error", (row) => errors(row).top5);

const columns: readonly Column<ClassScores>[] = [
  { name: "class", value: ({ name }) => name },
  { name: "pictures", value: ({ samples }) => samples, show: ({ samples }) => thousands(samples) },
  shareColumn("top-1 error", (row) => errors(row).top1),
  {
    name: "95 % interval",
    value: (row) => intervalOf(row).low,
    show: (row) => shareRange(intervalOf(row)),
    inFile: (row) => shareRange(intervalOf(row)),
  },
  top5,
  shareColumn("precision", (row) => precisionAndRecall(row).precision),
  shareColumn("recall", (row) => precisionAndRecall(row).recall),
  shareColumn("F1", f1),
  {
    name: "predicted as",
    text: true,
    value: ({ takenFor }) => -(takenFor?.count ?? 0),
    show: takenFor,
    inFile: takenFor,
  },
];

/** How well each class was told from the others. */
export function ClassTable({ classes }: { readonly classes: readonly ClassScores[] }) {
  return (
    <>
      <p>
        Precision: of the pictures predicted as the class, the share that is of it. Recall: of its pictures, the share
        that was taken for it. F1: the harmonic mean of both. Choose a heading to sort by it.
      </p>
      <Table
        label="Class by class"
        file="classes"
        sortable
        columns={classes.length > 5 ? columns : columns.filter((column) => column !== top5)}
        rows={classes}
        keyOf={({ name }) => name}
      />
    </>
  );
}
