import { AlexnetError } from "../../errors.js";
import type { Network } from "../../network/network.js";
import { parameterTable } from "../../network/parameters.js";
import type { Batch } from "../../network/picture.js";
import { inferShapes, type ShapedLayer } from "../../network/shapes.js";
import { classCount } from "../../network/transform.js";
import type { ComputeProgram } from "../compute.js";
import type { CompileOptions } from "../engine.js";
import { Algorithms, describeMachine, usualSources } from "./algorithms.js";
import { Build, type Tensor } from "./build.js";
import { addActivations, addInput } from "./input.js";
import { type Activation, type Current, mapDims, rowMajor, type Stage } from "./layer.js";
import { addLayer } from "./layers.js";
import type { Library } from "./library.js";
import { crossEntropy, softmax } from "./loss.js";
import { copy, Parameters } from "./parameters.js";
import { profileOperations } from "./profile.js";
import { Update } from "./update.js";

const updateInfo = { layer: "update", kind: "update", direction: "update", implementation: "simple:any" } as const;
const noBatch = { pictures: new Uint8Array(), views: [], labels: new Int32Array() };

/**
 * A network as operations in order, with the memory between them planned but not allocated.
 * @param measures whether the quickest ways may be found by running them
 */
export function planProgram(library: Library, network: Network, options: CompileOptions, measures: boolean) {
  const { batchSize, preprocessing, multipliers, after, observe = [], inputGradient = false } = options;
  const training = options.mode === "train";
  const algorithms = new Algorithms(describeMachine(library), usualSources({ given: options.algorithms, measures }));
  const build = new Build(library);
  const parameters = new Parameters(build, parameterTable(network), training, multipliers);
  const current: Current = { batch: noBatch, seed: 0, learning: false };
  const result = { loss: 0, correct: 0 };

  const shaped = inferShapes(network);
  const first = shaped.findIndex(({ layer }) => layer.name === after) + 1;
  const input =
    first === 0
      ? addInput(build, batchSize, network.input.size, preprocessing, current)
      : addActivations(build, outputDims(shaped.slice(0, first), batchSize), current);
  let y = input;
  const stages: Stage[] = [];
  const observed = new Map<string, Activation>();
  let wanted = inputGradient; // whether gradients are, as far down as the layer's input
  for (const [index, { layer, output }] of shaped.entries()) {
    if (index < first) {
      parameters.keep(layer.name);
      continue;
    }
    const isObserved = observe.includes(layer.name);
    const next = isObserved ? undefined : network.layers[index + 1]; // what is observed is not fused with what follows
    const place = { build, parameters, algorithms, batchSize, training, index, output, next, current };
    const stage = addLayer(layer, y, { ...place, needsInputGradient: wanted });
    wanted ||= parameters.learns(layer.name);
    stages.push(stage);
    y = stage.y;
    if (isObserved) observed.set(layer.name, kept(y));
  }
  const classes = classCount(network);
  const loss = { layer: "loss", kind: "loss", direction: "forward" } as const;
  const logits = rowMajor(build, y, loss);
  /** Probabilities, or when learning the gradient of the logits. */
  const outputs = build.tensor(logits.descriptor);
  build.compute(loss, [logits, outputs], () => {
    const [from, to] = [logits, outputs].map((tensor) => build.floats(tensor));
    return () => {
      if (current.learning) Object.assign(result, crossEntropy(from, current.batch.labels, to, classes));
      else softmax(from, to, current.batch.views.length, classes);
    };
  });
  const forwardCount = build.count;
  let dy: Tensor | undefined = wanted ? outputs : undefined;
  for (const stage of stages.reverse()) dy = dy && stage.backward(dy);
  const inputSlope = inputGradient && dy ? kept({ tensor: dy, dims: input.dims, rectified: false }) : undefined;
  const { chosen } = algorithms;
  return { build, parameters, chosen, current, result, outputs, classes, forwardCount, observed, inputSlope };
}

/** @throws AlexnetError "engine" when memory is short or the library refuses; what was made is freed. */
export function compileProgram(library: Library, network: Network, options: CompileOptions): ComputeProgram {
  const plan = planProgram(library, network, options, true);
  const { build, parameters, current, result, outputs, classes, forwardCount } = plan;
  try {
    const operations = build.finish();
    const probabilities = build.floats(outputs);
    const update = new Update(build, parameters);
    const begin = (batch: Batch, learning: boolean, seed: number): void => {
      Object.assign(current, { batch, learning, seed });
    };
    return {
      batchSize: options.batchSize,
      memoryBytes: build.memoryBytes,
      algorithms: plan.chosen,
      step(batch, stepOptions) {
        begin(batch, true, stepOptions.seed);
        for (const operation of operations) operation.run();
        if (Number.isFinite(result.loss)) update.run(stepOptions);
        return { ...result };
      },
      profile(batch, stepOptions, steps) {
        begin(batch, true, stepOptions.seed);
        const last = { run: () => update.run(stepOptions), bytes: update.bytes, ...updateInfo };
        return profileOperations([...operations, last], steps);
      },
      predict(batch) {
        begin(batch, false, 0);
        for (let i = 0; i < forwardCount; i++) operations[i].run();
        return probabilities.slice(0, batch.views.length * classes);
      },
      activation: (layer) => readActivation(build, plan.observed.get(layer), current.batch.views.length),
      inputGradient: () => readActivation(build, plan.inputSlope, current.batch.views.length),
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

/** Of the last of `layers`. */
function outputDims(layers: readonly ShapedLayer[], batchSize: number): readonly number[] {
  const output = layers[layers.length - 1].output;
  const flat = layers.some(({ layer }) => layer.kind === "fully-connected");
  return flat ? [batchSize, output.channels] : mapDims(batchSize, output);
}

/** Alive until the next batch. */
function kept(activation: Activation): Activation {
  activation.tensor.block.kept = true;
  return activation;
}

/** The first `samples` of a kept activation, row-major. */
function readActivation(build: Build, activation: Activation | undefined, samples: number): Float32Array {
  if (activation === undefined) throw new AlexnetError("engine", "this program does not keep what is asked for");
  const { tensor, dims } = activation;
  const values = new Float32Array(dims.reduce((product, n) => product * n, 1));
  copy(build, tensor, dims, values, "read");
  return values.slice(0, (values.length / dims[0]) * samples);
}
