import type { Layer } from "../../network/network.js";
import type { ComputeEngine } from "../compute.js";
import { type LayerInputs, type LayerOutputs, type LossOutputs, pictureShape, type Tensor } from "../engine.js";
import {
  aloneAt,
  layerOutputs,
  parametersOf,
  parameterValues,
  plainPreprocessing,
  tensorOf,
} from "../program/one-layer.js";
import { Build, type PreparedOperation } from "./build.js";
import { type Gpu, type GpuOptions, openGpu } from "./gpu.js";
import { addLayers } from "./layers/index.js";
import { addLoss, addSoftmax, outcomeOf } from "./layers/loss.js";
import { productOf } from "./layers/product.js";
import { copyRate, matrixRate } from "./machine-rates.js";
import { Parameters } from "./parameters.js";
import { millisecondsOf } from "./passes.js";
import { planProgram } from "./plan.js";
import { compileProgram } from "./program.js";
import { StepInputBlock } from "./step-inputs.js";

/**
 * The engine on whatever WebGPU reaches: any maker's GPU, or the processor where a software adapter is all there is.
 * @throws AlexnetError "engine" saying what is missing
 */
export async function openWebGpu(options: GpuOptions): Promise<ComputeEngine> {
  const gpu = await openGpu(options);
  const { name, software } = gpu.facts;
  return {
    description: {
      engine: "webgpu",
      library: gpu.library,
      instructionSet: `${name}${software ? ", which computes on the processor" : ""}`,
      precision: "float32",
      threads: 1,
    },
    compile: (network, compileOptions) => compileProgram(gpu, network, compileOptions),
    estimateMemory: (network, { batchSize, mode }) =>
      planProgram(gpu, network, { batchSize, mode, preprocessing: plainPreprocessing(network) }).build.estimateBytes(),
    differentiate: (layer, inputs) => differentiate(gpu, layer, inputs),
    crossEntropy: (...given) => crossEntropy(gpu, ...given),
    multiply: (a, b, length) => multiplied(gpu, a, b, length),
    measureMatrixRate: (size) => matrixRate(gpu, size),
    measureCopyRate: (bytes) => copyRate(gpu, bytes),
    close: () => gpu.close(),
  };
}

/** One layer as a program of its own. */
async function differentiate(gpu: Gpu, layer: Layer, inputs: LayerInputs): Promise<LayerOutputs> {
  const { x, dy } = inputs;
  const batchSize = x.shape[0];
  const build = new Build(gpu);
  try {
    const parameters = new Parameters(build, parametersOf(layer, inputs), true);
    const source = { tensor: build.tensor(x.data.length, { kept: true }), shape: pictureShape(x) };
    const stepInputs = new StepInputBlock(build, batchSize);
    const context = { ...aloneAt(layer, inputs), build, parameters, batchSize, training: true, inputs: stepInputs };
    const { stage } = addLayers(layer, source, context);
    stage.y.tensor.block.kept = true;
    const upstream = build.tensor(dy.data.length, { kept: true });
    const dx = stage.backward(upstream);
    if (dx === undefined) throw new Error(`${layer.name}: gave no input gradient`);
    dx.block.kept = true;
    const operations = await build.finish();
    build.write(source.tensor, Float32Array.from(x.data));
    build.write(upstream, Float32Array.from(dy.data));
    parameters.write("parameters", parameterValues(inputs));
    await run(gpu, operations);
    await parameters.fetch("gradients");
    const [y, gradient] = [await build.read(stage.y.tensor), await build.read(dx)];
    return layerOutputs(inputs, y, gradient, parameters.read("gradients"));
  } finally {
    build.close();
  }
}

async function crossEntropy(
  gpu: Gpu,
  { shape, data }: Tensor,
  labels: Int32Array,
  weights?: Float32Array,
): Promise<LossOutputs> {
  const [batch, classes] = shape;
  const build = new Build(gpu);
  try {
    const inputs = new StepInputBlock(build, batch);
    const logits = build.tensor(data.length, { kept: true });
    const probabilities = addSoftmax(build, logits, classes);
    const { dlogits, result } = addLoss(build, logits, inputs, classes);
    dlogits.block.kept = true;
    const operations = await build.finish();
    const view = { picture: 0, top: 0, left: 0, mirrored: false, colourShift: [0, 0, 0] } as const;
    const places = Array.from({ length: batch }, () => 0);
    const options = { learning: true, seed: 0, learningRate: 0, momentum: 0, weightDecay: 0, divisor: batch };
    inputs.write({ ...options, labels, weights, places, views: places.map(() => view) });
    build.write(logits, Float32Array.from(data));
    await run(gpu, operations);
    const outcome = await build.read(result);
    return {
      probabilities: tensorOf(shape, await build.read(probabilities)),
      loss: outcomeOf(outcome.buffer as ArrayBuffer).loss,
      dlogits: tensorOf(shape, await build.read(dlogits)),
    };
  } finally {
    build.close();
  }
}

async function multiplied(gpu: Gpu, a: Float32Array, b: Float32Array, length: number): Promise<Float32Array> {
  const [rows, columns] = [a.length / length, b.length / length];
  if (rows * columns === 0) return new Float32Array(0);
  const build = new Build(gpu);
  try {
    const [left, right, result] = [a.length, b.length, rows * columns].map((values) =>
      build.tensor(values, { kept: true }),
    );
    const flops = 2 * rows * columns * length;
    const info = { layer: "multiply", kind: "fully-connected", direction: "forward", flops } as const;
    build.addQuickest(info, `product ${rows}x${columns}x${length}`, productOf(gpu, left, right, result, length));
    const operations = await build.finish();
    build.write(left, a);
    build.write(right, b);
    await run(gpu, operations);
    return await build.read(result);
  } finally {
    build.close();
  }
}

async function run(gpu: Gpu, operations: readonly PreparedOperation[]): Promise<void> {
  await millisecondsOf(
    gpu,
    operations.flatMap(({ dispatches }) => dispatches),
  );
}
