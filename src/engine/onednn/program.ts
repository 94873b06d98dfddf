import { AlexnetError } from "../../errors.js";
import type { Network } from "../../network/network.js";
import { parameterTable } from "../../network/parameters.js";
import type { Batch } from "../../network/picture.js";
import type { ShapedLayer } from "../../network/shapes.js";
import { classCount } from "../../network/transform.js";
import type { ComputeProgram } from "../compute.js";
import type { CompileOptions, ForwardOptions } from "../engine.js";
import type { Operation } from "../program/operations.js";
import { Walk } from "../program/walk.js";
import { Algorithms, describeMachine, usualSources } from "./algorithms.js";
import type { Arithmetic } from "./arithmetic.js";
import { Build, type Tensor } from "./build.js";
import { type Activation, type Current, mapDims, readRows, rowMajor } from "./layer.js";
import { addLayer } from "./layers/index.js";
import { addActivations, addInput } from "./layers/input.js";
import { addLoss } from "./layers/loss.js";
import { Update } from "./layers/update.js";
import type { Library } from "./native/library.js";
import { Parameters } from "./parameters.js";
import { profileOperations } from "./profile.js";

const updateInfo = { layer: "update", kind: "update", direction: "update", implementation: "simple:any" } as const;
export const noBatch: Batch = { pictures: new Uint8Array(), views: [], labels: new Int32Array() };

/**
 * A network as operations in order, with the memory between them planned but not allocated.
 * @param measures whether the quickest algorithms may be found by running them
 */
export function planProgram(
  library: Library,
  arithmetic: Arithmetic,
  network: Network,
  options: CompileOptions,
  measures: boolean,
) {
  const algorithms = new Algorithms(describeMachine(library), usualSources({ given: options.algorithms, measures }));
  const build = new Build(library, arithmetic);
  try {
    return plan(build, algorithms, network, options);
  } catch (error) {
    build.close();
    throw error;
  }
}

function plan(build: Build, algorithms: Algorithms, network: Network, options: CompileOptions) {
  const { batchSize, preprocessing, multipliers, bucketBytes } = options;
  const training = options.mode === "train";
  const sharesGradients = bucketBytes !== undefined;
  const parameters = new Parameters(build, parameterTable(network), { training, multipliers, sharesGradients });
  const current: Current = { batch: noBatch, seed: 0, purpose: "predicting", divisor: 1, firstSample: 0 };
  const result = { loss: 0, correct: 0 };

  const walk = new Walk<Activation, Tensor>(network, options, {
    keep: parameters.keep,
    learns: parameters.learns,
    begin: build.begin,
    observe: (y) => keepAlive(y.tensor),
    add: (layer, x, position) => {
      const context = { ...position, build, parameters, algorithms, batchSize, training, current };
      return { stage: addLayer(layer, x, context), count: 1 };
    },
  });
  const input =
    walk.before.length === 0
      ? addInput(build, batchSize, network.input.size, preprocessing, current)
      : addActivations(build, outputDims(walk.before, batchSize), current);
  const y = walk.forward(input);

  build.begin("outputs");
  const classes = classCount(network);
  const loss = { layer: "loss", kind: "loss", direction: "forward" } as const;
  const logits = rowMajor(build, y, loss, "float32");
  const outputs = addLoss(build, logits, { current, batchSize, classes }, result);
  const dx = walk.backward(outputs);
  if (dx !== undefined) keepAlive(dx);
  const inputGradient: Activation | undefined = dx && { tensor: dx, dims: input.dims, rectified: false };
  const { chosen } = algorithms;
  return { build, parameters, chosen, current, result, outputs, classes, walk, inputGradient };
}

/** @throws AlexnetError "memory" when memory is short, "engine" when the library refuses; what was made is freed. */
export function compileProgram(
  library: Library,
  arithmetic: Arithmetic,
  network: Network,
  options: CompileOptions,
): ComputeProgram {
  const plan = planProgram(library, arithmetic, network, options, true);
  const { build, parameters, current, result, outputs, classes, walk } = plan;
  try {
    const operations = build.finish();
    const forward = operations.filter(({ phase }) => phase === "forward" || phase === "outputs");
    const backward = operations.filter(({ phase }) => phase === "backward");
    const probabilities = build.floats(outputs);
    const update = new Update(build, parameters);
    const begin = (batch: Batch, purpose: Current["purpose"], options: Partial<ForwardOptions> = {}): void => {
      const { seed = 0, samples: divisor = batch.views.length, firstSample = 0 } = options;
      Object.assign(current, { batch, purpose, seed, divisor, firstSample } satisfies Current);
    };
    const inputGradient = () => readActivation(build, plan.inputGradient, current.batch.views.length);
    const buckets = options.bucketBytes === undefined ? [] : parameters.buckets(walk.buckets);
    const backwardOf = buckets.map((_, i) => backward.filter(({ bucket }) => bucket === i));
    return {
      batchSize: options.batchSize,
      memoryBytes: build.memoryBytes,
      algorithms: plan.chosen,
      buckets,
      step(batch, stepOptions) {
        begin(batch, "learning", { seed: stepOptions.seed });
        run(forward);
        run(backward);
        if (Number.isFinite(result.loss)) update.run(stepOptions);
        return { ...result };
      },
      forward(batch, forwardOptions) {
        begin(batch, "learning", forwardOptions);
        run(forward);
        return { ...result };
      },
      backward: (bucket) => run(backwardOf[bucket]),
      update: (updateOptions) => update.run(updateOptions),
      profile(batch, stepOptions, steps) {
        begin(batch, "learning", { seed: stepOptions.seed });
        const last = { run: () => update.run(stepOptions), bytes: update.bytes, ...updateInfo };
        return profileOperations([...operations, last], steps);
      },
      predict(batch) {
        begin(batch, "predicting");
        run(forward);
        return probabilities.slice(0, batch.views.length * classes);
      },
      activation: (layer) => readActivation(build, walk.observed.get(layer), current.batch.views.length),
      inputGradient,
      scoreGradient(batch) {
        begin(batch, "scoring");
        run(forward);
        run(backward);
        return inputGradient();
      },
      read: (state) => parameters.read(state),
      write: (state, values) => parameters.write(state, values),
      close() {
        update.close();
        build.close();
      },
    };
  } catch (error) {
    build.close();
    throw error;
  }
}

function run(operations: readonly Operation[]): void {
  for (const operation of operations) operation.run();
}

/** Of the last of `layers`. */
function outputDims(layers: readonly ShapedLayer[], batchSize: number): readonly number[] {
  const output = layers[layers.length - 1].output;
  const flat = layers.some(({ layer }) => layer.kind === "fully-connected");
  return flat ? [batchSize, output.channels] : mapDims(batchSize, output);
}

/** Until the next batch. */
function keepAlive({ block }: Tensor): void {
  block.kept = true;
}

/** The first `samples` of a kept activation, row-major. */
function readActivation(build: Build, activation: Activation | undefined, samples: number): Float32Array {
  if (activation === undefined) throw new AlexnetError("engine", "this program does not keep what is asked for");
  const values = readRows(build, activation);
  return values.slice(0, (values.length / activation.dims[0]) * samples);
}
