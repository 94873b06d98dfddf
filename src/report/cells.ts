import type { Evaluation, LabelledPrediction } from "../evaluation/evaluate.js";
import { cellKey, commonMistakes, mostConfused } from "../scoring/confusion.js";
import type { ConfusionCell } from "../scoring/scores.js";
import type { ReportData, ShownPicture } from "./data.js";
import type { PictureTaker } from "./pictures.js";

const PICTURES_A_CELL = 12;

/**
 * By cell of the confusion matrix that can be chosen, some of its pictures: mistakes before the rest, so that they are
 * there when the page gets full.
 */
export async function takeCells(
  { perClass, confusion }: Evaluation,
  predictions: readonly LabelledPrediction[],
  pictures: PictureTaker,
): Promise<ReportData["cells"]> {
  const isShown = new Set(mostConfused(confusion, perClass.length));
  const wanted = [
    ...commonMistakes(confusion),
    ...confusion.filter(({ label, predicted }) => isShown.has(label) && isShown.has(predicted)),
  ].sort((a, b) => Number(isMistake(b)) - Number(isMistake(a)) || b.count - a.count);
  const byCell = new Map<string, LabelledPrediction[]>();
  for (const prediction of predictions) {
    const [predicted = -1] = prediction.best;
    const key = cellKey({ label: prediction.label, predicted });
    const members = byCell.get(key);
    if (members === undefined) byCell.set(key, [prediction]);
    else if (members.length < PICTURES_A_CELL) members.push(prediction);
  }
  const cells: Record<string, readonly ShownPicture[]> = {};
  for (const key of new Set(wanted.map(cellKey))) cells[key] = await pictures.takeAll(byCell.get(key) ?? []);
  return cells;
}

function isMistake({ label, predicted }: ConfusionCell): boolean {
  return label !== predicted;
}
