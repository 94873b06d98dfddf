import { withHints } from "../errors.js";
import { errors } from "../scoring/scores.js";
import { byteSize, clock, percent } from "../text.js";
import { type TrainEvent, VALIDATING } from "./events.js";
import type { EpochRow } from "./metrics.js";

/** The line of an event for a run's log; undefined for events too frequent for one. */
export function logLine(event: TrainEvent): string | undefined {
  switch (event.kind) {
    case "started": {
      const { resumedAt, engine, choice, config } = event;
      const what = resumedAt ? `going on in epoch ${resumedAt.epoch} after step ${resumedAt.step}` : "begun";
      return `${what}: ${config.network.name}, recipe ${config.recipe.name} (${config.recipeReason}), ${engine.library}, ${engine.instructionSet}, ${engine.threads} ${engine.threads === 1 ? "thread" : "threads"}${choice === undefined ? "" : `; ${choice}`}`;
    }
    case "progress":
      return event.done === event.total && event.of !== VALIDATING ? `${event.of}: all ${event.total}` : undefined;
    case "epoch": {
      const { row, best } = event;
      const validation =
        row.validation === null
          ? ""
          : `; validation ${describeScores(row.validation)}${best ? ", the best so far" : ""}`;
      return `epoch ${row.epoch} of ${event.epochs}: loss ${row.loss.toFixed(4)}, top-1 ${percent(row.top1)}${validation}; ${row.imagesPerSecond.toFixed(1)} img/s, ${percent(row.waiting)} waiting`;
    }
    case "checkpoint":
      return `checkpoint of step ${event.step}: ${byteSize(event.bytes)} in ${event.seconds.toFixed(2)} s, training stood still for ${event.stalledSeconds.toFixed(2)} s`;
    case "control":
      return `asked for: ${event.action}${event.action === "lower-rate" ? `; learning rates are multiplied by ${event.rateFactor} from now on` : ""}`;
    case "warning":
      return `warning: ${withHints(event.problem, event.hints)}`;
    case "ended":
      return `ended after ${event.epochs} epochs, ${event.steps} steps, ${clock(event.seconds)}: ${event.reason}`;
    default:
      return undefined;
  }
}

function describeScores(scores: NonNullable<EpochRow["validation"]>): string {
  const { top1, top5 } = errors(scores);
  const { meanRecall, macroF1 } = scores;
  const macro = [
    ...(meanRecall === undefined ? [] : [`mean recall ${percent(meanRecall)}`]),
    ...(macroF1 === undefined ? [] : [`macro F1 ${percent(macroF1)}`]),
  ];
  return [`top-1 ${percent(1 - top1)}, top-5 ${percent(1 - top5)}`, ...macro].join(", ");
}
