import { AlexnetError, type Hint } from "../errors.js";
import { afterEpoch } from "../recipes/policy.js";
import { suitedRecipe } from "../recipes/recipes.js";
import type { RunConfig } from "../runs/settings.js";
import { emptyTally, type TrainingState } from "../runs/state.js";

/** When a run ends, and how to go on after what stopped it before. */

/** The state after an epoch that ended with this error; see `afterEpoch`. */
export function nextEpoch(
  state: TrainingState,
  ended: { readonly error: number; readonly guessing: number },
  { timeBudget, earlyStop, recipe }: RunConfig,
): TrainingState {
  const epoch = state.epoch + 1;
  const { error } = ended;
  const isBest = state.best === null || error < state.best.error;
  const next = {
    ...state,
    epoch,
    batch: 0,
    epochs: timeBudget === null ? state.epochs : epochsInTime(epoch, state.seconds, timeBudget, recipe.epochs),
    policy: afterEpoch(recipe.policy, state.policy, ended),
    epochTally: emptyTally,
    best: isBest ? { epoch, step: state.step, error } : state.best,
    sinceBest: isBest ? 0 : state.sinceBest + 1,
  };
  return { ...next, ended: reasonToEnd(next, { timeBudget, earlyStop }) };
}

/** Why training ends with the epoch that has just ended; null when it goes on. */
export function reasonToEnd(
  { epoch, epochs, sinceBest, seconds }: Pick<TrainingState, "epoch" | "epochs" | "sinceBest" | "seconds">,
  { timeBudget, earlyStop }: Pick<RunConfig, "timeBudget" | "earlyStop">,
): string | null {
  if (timeBudget !== null && seconds >= timeBudget) return "the time budget is used up";
  if (epoch >= epochs) return `${epochs === 1 ? "the only epoch is" : `all ${epochs} epochs are`} done`;
  if (earlyStop !== null && sinceBest >= earlyStop) return `no lower error for ${sinceBest} epochs`;
  return null;
}

/** The epochs that fit into a time budget at the pace so far; at most `most`. */
function epochsInTime(done: number, seconds: number, timeBudget: number, most: number): number {
  const perEpoch = seconds / done;
  return Math.min(most, done + Math.max(0, Math.floor((timeBudget - seconds) / perEpoch)));
}

/** The error of a run that the signal stopped, after everything was saved. */
export function stopped(run: string, { epoch, step }: TrainingState, cause: unknown): AlexnetError {
  return new AlexnetError("interrupted", `stopped in epoch ${epoch + 1} after step ${step}; everything is saved`, {
    hint: { advice: "resume it", call: "resume", options: { run } },
    cause,
  });
}

/** An error that ended training, with how to go on after it. @param step the latest that is saved; 0 for none */
export function withWayOn(error: unknown, run: string, step: number, config: RunConfig): unknown {
  if (!(error instanceof AlexnetError) || error.code === "interrupted") return error;
  const saved = step === 0 ? "Nothing is saved yet" : `Step ${step} is saved`;
  const hint = error.code === "not-finite" ? afterOverflow(run, step, config) : [...error.hints, goOn(run, step)];
  return new AlexnetError(error.code, `${error.problem}. ${saved}`, { hint, cause: error });
}

function goOn(run: string, step: number): Hint {
  return { advice: step === 0 ? "begin anew" : "go on from there", call: "resume", options: { run } };
}

function afterOverflow(
  run: string,
  step: number,
  { recipe: { name, learningRate: rate }, network }: RunConfig,
): readonly Hint[] {
  const learningRate = Number((rate / 10).toPrecision(2));
  const lower: Hint =
    step === 0
      ? { advice: "begin anew with a lower rate", option: "learningRate", value: learningRate }
      : {
          advice: "go on from it with a lower rate",
          call: "resume",
          options: { run, override: true, learningRate },
        };
  const { name: suited } = suitedRecipe(network);
  return name === suited ? [lower] : [lower, { advice: "begin anew with another", option: "recipe", value: suited }];
}
