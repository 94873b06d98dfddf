import { AlexnetError } from "../../errors.js";
import type { Layer, Network } from "../../network/network.js";
import { parameterCount, parameterTable, weightShape } from "../../network/parameters.js";
import { type Batch, pictureBytes, pictureSizeOf, type View } from "../../network/picture.js";
import { inferShapes, outputShape, volume } from "../../network/shapes.js";
import { classCount } from "../../network/transform.js";
import type { ComputeEngine, ComputeProgram } from "../compute.js";
import type {
  CompileOptions,
  ForwardOptions,
  LayerInputs,
  State,
  StepOptions,
  Tensor,
  UpdateOptions,
} from "../engine.js";
import { pictureShape } from "../engine.js";

/** The border of every engine: what callers hand in is checked here, so that engines trust what they are given. */

/** `engine`, with every argument checked; closing it closes its programs. */
export function checkedEngine(engine: ComputeEngine): ComputeEngine {
  const programs = new Set<ComputeProgram>();
  return {
    description: engine.description,
    choice: engine.choice,
    compile: async (network, options) => {
      checkOptions(network, options);
      const inner = await engine.compile(network, options);
      const program = checkedProgram(inner, network, options, () => programs.delete(program));
      programs.add(program);
      return program;
    },
    estimateMemory: (network, options) => {
      inferShapes(network);
      checkBatchSize(options.batchSize);
      return engine.estimateMemory(network, options);
    },
    differentiate: (layer, inputs) => {
      checkInputs(layer, inputs);
      return engine.differentiate(layer, inputs);
    },
    crossEntropy: (logits, labels, weights) => {
      const [samples = 0, classes = 0] = logits.shape;
      checkLength("logits", logits, samples * classes);
      checkLabels({ labels, weights }, samples, classes);
      return engine.crossEntropy(logits, labels, weights);
    },
    multiply: (a, b, length) => {
      if (!(Number.isSafeInteger(length) && length >= 1))
        fail(`multiply: length ${length}; give a whole number from 1`);
      for (const { length: values } of [a, b])
        if (values % length !== 0) fail(`multiply: ${values} values are no whole number of rows of ${length}`);
      return engine.multiply(a, b, length);
    },
    measureMatrixRate: (size) => engine.measureMatrixRate(size),
    measureCopyRate: (bytes) => engine.measureCopyRate(bytes),
    close: async () => {
      for (const program of programs) await program.close();
      await engine.close();
    },
  };
}

function checkedProgram(
  program: ComputeProgram,
  network: Network,
  options: CompileOptions,
  onClose: () => void,
): ComputeProgram {
  const { batchSize, memoryBytes, algorithms, buckets, batchesAtOnce } = program;
  const classes = classCount(network);
  const values = parameterCount(network);
  const checkState = (state: State): void => {
    if (state !== "parameters" && options.mode === "predict")
      fail(`${state}: a program compiled to predict holds parameters only; compile it with mode "train"`);
  };
  const begun = valuesPerSample(network, options);
  let [reserved, held] = [0, 0]; // pictures
  const checkSamples = (batch: Batch, least = 1): void => {
    checkSampleCount(batch.views.length, least, batchSize);
    if (begun === undefined) checkBatch(batch, held, network, options);
    else checkActivations(batch, begun);
  };
  const checkLearning = (call: string, batch: Batch, least = 1): void => {
    if (options.mode !== "train") fail(`${call}: compiled to predict; compile the network with mode "train"`);
    checkSamples(batch, least);
    checkLabels(batch, batch.views.length, classes);
  };
  const checkStep = (call: string, batch: Batch, stepOptions: StepOptions): void => {
    checkLearning(call, batch);
    checkNumbers(call, stepOptions);
  };
  /** Of a split step that is under way, the bucket whose turn it is. */
  let turn: number | undefined;
  const checkSplit = (call: string): void => {
    if (options.bucketBytes === undefined) fail(`${call}: steps are not split; compile the network with bucketBytes`);
  };
  return {
    batchSize,
    memoryBytes,
    algorithms,
    batchesAtOnce,
    reserve: async (count) => {
      if (!(Number.isSafeInteger(count) && count >= 1)) fail(`reserve: ${count} pictures; give a whole number from 1`);
      const room = (await program.reserve?.(count)) ?? 0;
      [reserved, held] = [room >= count ? count : 0, 0];
      return room;
    },
    hold: async (pictures) => {
      const count = picturesIn(pictures, pictureSizeOf(options.preprocessing));
      if (held + count > reserved) fail(`hold: ${held} and ${count} pictures; ${reserved} were reserved`);
      await program.hold?.(pictures);
      held += count;
    },
    step: (batch, stepOptions) => {
      checkStep("step", batch, stepOptions);
      turn = undefined;
      return program.step(batch, stepOptions);
    },
    buckets,
    forward: (batch, forwardOptions) => {
      checkSplit("forward");
      checkLearning("forward", batch, 0); // a rank may have no share of the last batch
      checkNumbers("forward", forwardOptions);
      const { samples = batch.views.length, firstSample = 0 } = forwardOptions;
      if (!(Number.isSafeInteger(samples) && samples >= Math.max(1, batch.views.length)))
        fail(`forward: ${samples} samples in the whole batch, of which ${batch.views.length} are here`);
      if (!(Number.isSafeInteger(firstSample) && firstSample >= 0 && firstSample + batch.views.length <= samples))
        fail(`forward: ${batch.views.length} samples from number ${firstSample} on, of ${samples} in the whole batch`);
      turn = 0;
      return program.forward(batch, forwardOptions);
    },
    backward: (bucket) => {
      checkSplit("backward");
      if (turn === undefined) fail("backward: no split step is under way; call forward before");
      if (bucket !== turn) fail(`backward: bucket ${bucket}; the turn is that of bucket ${turn} of ${buckets.length}`);
      turn++;
      return program.backward(bucket);
    },
    update: (updateOptions) => {
      checkSplit("update");
      checkNumbers("update", updateOptions);
      if (turn !== buckets.length) fail("update: gradients are missing; call forward, then backward for each bucket");
      turn = undefined;
      return program.update(updateOptions);
    },
    profile: (batch, stepOptions, steps) => {
      checkStep("profile", batch, stepOptions);
      turn = undefined;
      if (!(Number.isSafeInteger(steps) && steps >= 1)) fail(`profile: ${steps} steps; give a whole number from 1`);
      return program.profile(batch, stepOptions, steps);
    },
    predict: (batch) => {
      checkSamples(batch);
      turn = undefined;
      return program.predict(batch);
    },
    activation: (layer) => {
      if (!options.observe?.includes(layer)) fail(`${layer}: not observed; name it in "observe" when compiling`);
      return program.activation(layer);
    },
    inputGradient: () => {
      if (!options.inputGradient) fail(`input gradient: not taken; compile the network with "inputGradient"`);
      return program.inputGradient();
    },
    scoreGradient: (batch) => {
      if (!options.inputGradient) fail(`score gradient: not taken; compile the network with "inputGradient"`);
      checkLearning("score gradient", batch);
      turn = undefined;
      return program.scoreGradient(batch);
    },
    read: (state) => {
      checkState(state);
      return program.read(state);
    },
    write: (state, given) => {
      checkState(state);
      if (given.length !== values) fail(`${state}: ${given.length} values for a network that has ${values}`);
      return program.write(state, given);
    },
    close: () => {
      onClose();
      return program.close();
    },
  };
}

function checkOptions(network: Network, options: CompileOptions): void {
  const { batchSize, mode, preprocessing, multipliers = {}, after, observe = [], inputGradient = false } = options;
  const { bucketBytes } = options;
  checkBatchSize(batchSize);
  if (bucketBytes !== undefined && mode !== "train")
    fail(`bucketBytes: only steps have gradients; compile the network with mode "train"`);
  if (bucketBytes !== undefined && !(bucketBytes >= 0)) fail(`bucketBytes: ${bucketBytes}; give 0 or more`);
  for (const name of observe)
    if (!network.layers.some((layer) => layer.name === name)) fail(`observe: ${network.name} has no layer ${name}`);
  if (after !== undefined) checkBeginning(network, after, options);
  if (inputGradient && mode !== "train") fail(`input gradient: steps take it; compile the network with mode "train"`);
  const names = new Set(parameterTable(network).map(({ name }) => name));
  for (const [name, multiplier] of Object.entries(multipliers)) {
    if (!names.has(name))
      fail(`multipliers: ${network.name} has no parameter ${name}; it has ${[...names].join(", ")}`);
    for (const [what, factor] of Object.entries(multiplier ?? {}))
      if (!(factor >= 0 && factor < Infinity)) fail(`multipliers: ${name} has ${what} ${factor}; give 0 or more`);
  }
  const { mean, scale } = preprocessing;
  const side = pictureSizeOf({ mean });
  if (!Number.isInteger(side) || side < 1)
    fail(`mean image: ${mean.length} values; it takes those of a square in three colours, such as 256x256x3`);
  const { size } = network.input;
  if (side < size)
    fail(`mean image: ${side}x${side}x3; ${network.name} sees crops of ${size}x${size}, larger than such pictures`);
  if (!scale.every(Number.isFinite)) fail(`input scale: ${scale.join(", ")} are not three numbers`);
}

function checkBeginning(network: Network, after: string, { observe = [], inputGradient }: CompileOptions): void {
  const index = network.layers.findIndex(({ name }) => name === after);
  if (index < 0) fail(`after: ${network.name} has no layer ${after}`);
  if (index === network.layers.length - 1) fail(`after: ${after} is the last layer; nothing would be left to run`);
  const left = network.layers.slice(0, index + 1).find(({ name }) => observe.includes(name));
  if (left !== undefined) fail(`observe: ${left.name} does not run in a program that begins after ${after}`);
  if (inputGradient) fail(`input gradient: a program that begins after ${after} sees no input`);
}

/** Values that a batch holds for a sample where the program begins after a layer. */
function valuesPerSample(network: Network, { after }: CompileOptions): number | undefined {
  const beginning = inferShapes(network).find(({ layer }) => layer.name === after);
  return beginning && volume(beginning.output);
}

function checkActivations({ activations, views }: Batch, values: number): void {
  if (activations?.length !== views.length * values)
    fail(`batch: ${activations?.length ?? "no"} activations; ${views.length} samples need ${values} each`);
}

function checkSampleCount(samples: number, least: number, batchSize: number): void {
  if (samples < least || samples > batchSize)
    fail(`batch: ${samples} samples; this program takes ${least} to ${batchSize}`);
}

function checkBatchSize(batchSize: number): void {
  if (!(Number.isSafeInteger(batchSize) && batchSize >= 1))
    fail(`batch size: ${batchSize} is not a number of samples; give a whole number from 1`);
}

/** @param held pictures that the program holds */
function checkBatch(batch: Batch, held: number, network: Network, { preprocessing }: CompileOptions): void {
  const pictureSize = pictureSizeOf(preprocessing);
  const { views } = batch;
  const count = batch.held ? held : picturesIn(batch.pictures, pictureSize);
  const farthest = pictureSize - network.input.size;
  const inside = (value: number, end: number): boolean => Number.isSafeInteger(value) && value >= 0 && value <= end;
  const fits = ({ picture, top, left, colourShift }: View): boolean =>
    inside(picture, count - 1) && inside(top, farthest) && inside(left, farthest) && colourShift.every(Number.isFinite);
  const bad = views.findIndex((view) => !fits(view));
  if (bad >= 0)
    fail(
      `batch: sample ${bad} asks for ${JSON.stringify(views[bad])} of ${count} pictures${batch.held ? " held" : ""}, crops from 0 to ${farthest}`,
    );
}

function picturesIn({ length }: Uint8Array, size: number): number {
  const one = pictureBytes(size);
  if (length % one !== 0) fail(`batch: ${length} bytes are no whole number of ${size}x${size}x3 pictures`);
  return length / one;
}

function checkLabels({ labels, weights }: Pick<Batch, "labels" | "weights">, samples: number, classes: number): void {
  if (labels.length !== samples) fail(`labels: ${labels.length} for ${samples} samples; give one each`);
  const bad = labels.findIndex((label) => !(label >= 0 && label < classes));
  if (bad >= 0) fail(`labels: sample ${bad} has ${labels[bad]}; there are ${classes} classes, counted from 0`);
  if (weights === undefined) return;
  if (weights.length !== samples) fail(`weights: ${weights.length} for ${samples} samples; give one each`);
  const wrong = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (wrong >= 0) fail(`weights: sample ${wrong} has ${weights[wrong]}; give numbers from 0`);
}

function checkInputs(layer: Layer, { x, w, b, dy }: LayerInputs): void {
  const { name } = layer;
  if (layer.kind === "dropout") fail(`${name}: dropout alone has no result to compare: a step's seed draws it`);
  const input = pictureShape(x);
  const [samples = 0] = x.shape;
  checkLength(`${name}: x`, x, samples * volume(input));
  checkLength(`${name}: dy`, dy, samples * volume(outputShape(layer, input)));
  const weights = weightShape(layer, input);
  if ((w === undefined) !== (weights === undefined) || (b === undefined) !== (weights === undefined))
    fail(`${name}: give w and b to layers that have weights, and to no other`);
  if (weights === undefined || w === undefined || b === undefined) return;
  checkLength(
    `${name}: w`,
    w,
    weights.reduce((product, length) => product * length),
  );
  checkLength(`${name}: b`, b, weights[0]);
}

function checkLength(what: string, { data }: Tensor, length: number): void {
  if (data.length !== length) fail(`${what}: ${data.length} values for a shape of ${length}`);
}

function checkNumbers(call: string, options: StepOptions | UpdateOptions | ForwardOptions): void {
  for (const [what, value] of Object.entries(options))
    if (value !== undefined && !Number.isFinite(value)) fail(`${call}: ${what} is ${value}; give a number`);
}

function fail(what: string): never {
  throw new AlexnetError("invalid-option", what);
}
