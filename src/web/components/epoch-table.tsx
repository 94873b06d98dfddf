import type { EpochRow } from "../../runs/metrics.js";
import { errors } from "../../scoring/scores.js";
import { share } from "../format.js";
import { type Column, Table } from "./table.js";

export type EpochNumbers = Omit<EpochRow, "layers">;
type Validation = NonNullable<EpochNumbers["validation"]>;

function validated(name: string, of: (scores: Validation) => number | undefined, show: (value: number) => string) {
  const column: Column<EpochNumbers> = {
    name,
    value: ({ validation }) => (validation === null ? "" : (of(validation) ?? "")),
    show: ({ validation }) => {
      const value = validation === null ? undefined : of(validation);
      return value === undefined ? "–" : show(value);
    },
  };
  return column;
}

const columns: readonly Column<EpochNumbers>[] = [
  { name: "epoch", value: ({ epoch }) => epoch },
  { name: "learning rate", value: ({ learningRate }) => learningRate, show: (row) => row.learningRate.toPrecision(3) },
  { name: "training loss", value: ({ loss }) => loss, show: ({ loss }) => loss.toFixed(4) },
  { name: "training top-1 error", value: ({ top1 }) => 1 - top1, show: ({ top1 }) => share(1 - top1) },
  validated(
    "validation loss",
    ({ loss }) => loss,
    (loss) => loss.toFixed(4),
  ),
  validated("top-1 error", (scores) => errors(scores).top1, share),
  validated("top-5 error", (scores) => errors(scores).top5, share),
  validated("mean recall", ({ meanRecall }) => meanRecall, share),
  validated("macro F1", ({ macroF1 }) => macroF1, share),
  {
    name: "pictures/s",
    value: ({ imagesPerSecond }) => imagesPerSecond,
    show: (row) => row.imagesPerSecond.toFixed(1),
  },
];

export function EpochTable({ epochs }: { readonly epochs: readonly EpochNumbers[] }) {
  if (epochs.length === 0) return null;
  return (
    <details>
      <summary>The numbers, epoch by epoch</summary>
      <Table label="Epoch by epoch" file="epochs" columns={columns} rows={epochs} keyOf={({ epoch }) => epoch} />
    </details>
  );
}
