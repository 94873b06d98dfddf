import type { Engine, Program } from "../../engine/engine.js";
import { AlexnetError } from "../../errors.js";
import type { Model } from "../../model/model.js";
import { parameterTable, parameterView } from "../../network/parameters.js";
import type { Batch } from "../../network/picture.js";
import { batches } from "../../store/reading/batches.js";
import { allFinite } from "../../system/finite.js";
import { batchesOfEpoch } from "../settle.js";
import type { FinishedStep, Training, Watcher } from "./watcher.js";

/** Ends the run with a step whose loss isn't finite, naming the layer that overflowed. */
export class Divergence implements Watcher {
  readonly #training: Training;

  constructor(training: Training) {
    this.#training = training;
  }

  /** @throws AlexnetError "not-finite" */
  async afterStep(step: FinishedStep): Promise<void> {
    if (Number.isFinite(step.result.loss)) return;
    const { folder, engine, program, model, after } = this.#training;
    const where = await locateDivergence(engine, program, model, await picturesOf(step, this.#training), after);
    throw new AlexnetError(
      "not-finite",
      `${folder.path}: the loss of step ${step.step} (epoch ${step.epoch}) is not finite: ${where}`,
    );
  }
}

/** A step's batch with its pictures, also where the program holds them all. */
async function picturesOf({ batch, epoch, index }: FinishedStep, { store, config }: Training): Promise<Batch> {
  if (!batch.held) return batch;
  for await (const loaded of batches(store, batchesOfEpoch(config, epoch - 1, index))) return loaded;
  return batch;
}

const VIEWS_AT_ONCE = 8;

/**
 * Where the numbers stopped being finite, after a step on `batch` whose loss was not: a clause for people that names
 * the layer. Parameters come before outputs: they stay as they were before such a step.
 * @param batch with its pictures: other programs run it
 * @param after the layer that `program` begins after, if it does
 */
export async function locateDivergence(
  engine: Engine,
  program: Program,
  model: Omit<Model, "parameters">,
  batch: Batch,
  after?: string,
): Promise<string> {
  const parameters = await program.read("parameters");
  const broken = parameterTable(model.network).filter((one) => !allFinite(parameterView(parameters, one)));
  const last = broken.at(-1); // gradients go from the last layer to the first
  if (last !== undefined) return `the gradient of ${last.layer} was the first to overflow, in the step before`;
  const layer = await firstOverflow(engine, model, parameters, batch, after);
  return layer === undefined
    ? "the outputs of the last layer are too far apart"
    : `the outputs of ${layer} are the first to overflow`;
}

async function firstOverflow(
  engine: Engine,
  { network, preprocessing }: Omit<Model, "parameters">,
  parameters: Float32Array,
  batch: Batch,
  after: string | undefined,
): Promise<string | undefined> {
  const names = network.layers.map(({ name }) => name);
  const observe = names.slice(after === undefined ? 0 : names.indexOf(after) + 1);
  const options = { batchSize: VIEWS_AT_ONCE, mode: "predict", preprocessing, observe, after } as const;
  const program = await engine.compile(network, options);
  try {
    await program.write("parameters", parameters);
    for (let start = 0; start < batch.views.length; start += VIEWS_AT_ONCE) {
      await program.predict(samplesOf(batch, start, start + VIEWS_AT_ONCE));
      for (const name of observe) if (!allFinite(await program.activation(name))) return name;
    }
    return undefined;
  } finally {
    await program.close();
  }
}

function samplesOf({ pictures, views, labels, activations }: Batch, start: number, end: number): Batch {
  const one = activations === undefined ? 0 : activations.length / views.length;
  return {
    pictures,
    views: views.slice(start, end),
    labels: labels.slice(start, end),
    activations: activations?.subarray(start * one, end * one),
  };
}
