import type { Layer } from "../../network/network.js";
import type { ComputeEngine } from "../compute.js";
import {
  type LayerInputs,
  type LayerOutputs,
  type LossOutputs,
  type Precision,
  pictureShape,
  type Tensor,
} from "../engine.js";
import {
  aloneAt,
  layerOutputs,
  parametersOf,
  parameterValues,
  plainPreprocessing,
  tensorOf,
} from "../program/one-layer.js";
import { Build, type Tensor as DeviceTensor } from "./build.js";
import { type Gpu, openGpu } from "./gpu.js";
import { type Activation, layoutOf, lengthOf } from "./layer.js";
import { addLayers } from "./layers/index.js";
import { inputForm } from "./layers/input.js";
import { pack, unpack, valueCount } from "./layers/layout.js";
import { addLoss, addSoftmax, outcomeOf, RESULT_BYTES } from "./layers/loss.js";
import { multiply } from "./layers/product.js";
import { copyRate, matrixRate } from "./machine-rates.js";
import { Parameters } from "./parameters.js";
import { planProgram } from "./plan.js";
import { compileProgram } from "./program.js";
import { StepInputBlock } from "./step-inputs.js";

/**
 * The engine on an NVIDIA GPU. Call on the thread that will compute: the device's context becomes its own.
 * @throws AlexnetError "engine" naming what is missing, where it was looked for and what to install.
 */
export function openCuda(options: { readonly precision?: Precision }): ComputeEngine {
  const gpu = openGpu(options.precision);
  const { name, major, minor } = gpu.device.facts;
  return {
    description: {
      engine: "cuda",
      library: gpu.library,
      instructionSet: `${name}, sm_${major}${minor}, ${gpu.precision}`,
      precision: gpu.precision,
      threads: 1,
    },
    compile: (network, compileOptions) => compileProgram(gpu, network, compileOptions),
    estimateMemory(network, { batchSize, mode }) {
      const { build } = planProgram(gpu, network, { batchSize, mode, preprocessing: plainPreprocessing(network) });
      const bytes = build.estimateBytes();
      build.close();
      return bytes;
    },
    differentiate: (layer, inputs) => differentiate(gpu, layer, inputs),
    crossEntropy: (...given) => crossEntropy(gpu, ...given),
    multiply: (a, b, length) => multiplied(gpu, a, b, length),
    measureMatrixRate: (size) => matrixRate(gpu, size),
    measureCopyRate: (bytes) => copyRate(gpu, bytes),
    close: () => gpu.close(),
  };
}

/** One layer as a program of its own. */
function differentiate(gpu: Gpu, layer: Layer, inputs: LayerInputs): LayerOutputs {
  const { x, dy } = inputs;
  const batchSize = x.shape[0];
  const shape = pictureShape(x);
  const build = new Build(gpu);
  try {
    const parameters = new Parameters(build, parametersOf(layer, inputs), true);
    const square = shape.height === shape.width;
    const form = square ? inputForm(shape.height, layer, shape.channels) : { shape };
    const source = { ...form, tensor: build.tensor(lengthOf(form, batchSize), { kept: true }), rectified: false };
    const { all } = new StepInputBlock(build, batchSize);
    const context = { ...aloneAt(layer, inputs), build, parameters, batchSize, training: true, controls: all };
    const { stage } = addLayers(layer, source, context);
    stage.y.tensor.block.kept = true;
    const upstream = build.tensor(dy.data.length, { kept: true });
    const dx = stage.backward(upstream);
    if (dx === undefined) throw new Error(`${layer.name}: gave no input gradient`);
    dx.block.kept = true;
    const operations = build.finish();
    build.write(source.tensor, pack(layoutOf(source, batchSize), x.data));
    build.write(upstream, pack(layoutOf(stage.y, batchSize), dy.data));
    parameters.write("parameters", parameterValues(inputs));
    for (const operation of operations) operation.run();
    const read = (from: DeviceTensor, activation: Activation): Float32Array => {
      const layout = layoutOf(activation, batchSize);
      const values = new Float32Array(valueCount(layout));
      unpack(layout, build.read(from), values);
      return values;
    };
    return layerOutputs(inputs, read(stage.y.tensor, stage.y), read(dx, source), parameters.read("gradients"));
  } finally {
    build.close();
  }
}

function crossEntropy(gpu: Gpu, { shape, data }: Tensor, labels: Int32Array, weights?: Float32Array): LossOutputs {
  const [batch, classes] = shape;
  const build = new Build(gpu);
  try {
    const inputs = new StepInputBlock(build, batch);
    const logits = build.tensor(data.length, { format: "float32", kept: true });
    const probabilities = addSoftmax(build, logits, classes);
    const { dlogits, result } = addLoss(build, logits, inputs, classes);
    dlogits.block.kept = true;
    const operations = build.finish();
    const written = new DataView(new ArrayBuffer(inputs.all.bytes));
    const options = { learning: true, seed: 0, learningRate: 0, momentum: 0, weightDecay: 0, pictures: 0n };
    const view = { picture: 0, top: 0, left: 0, mirrored: false, colourShift: [0, 0, 0] } as const;
    const places = Array.from({ length: batch }, () => 0);
    inputs.write(written, { ...options, divisor: batch, labels, weights, places, views: places.map(() => view) });
    build.writeBytes(inputs.all, written);
    build.write(logits, Float32Array.from(data));
    for (const operation of operations) operation.run();
    const outcome = new DataView(new ArrayBuffer(RESULT_BYTES));
    build.readInto(outcome, result);
    return {
      probabilities: tensorOf(shape, build.read(probabilities)),
      loss: outcomeOf(outcome).loss,
      dlogits: tensorOf(shape, build.read(dlogits)),
    };
  } finally {
    build.close();
  }
}

function multiplied(gpu: Gpu, a: Float32Array, b: Float32Array, length: number): Float32Array {
  const [rows, columns] = [a.length / length, b.length / length];
  if (rows * columns === 0) return new Float32Array(0);
  const build = new Build(gpu);
  try {
    const float32 = (values: number) => build.tensor(values, { format: "float32", kept: true });
    const [left, right, result] = [a.length, b.length, rows * columns].map(float32);
    build.add({ layer: "multiply", kind: "fully-connected", direction: "forward" }, [], "cublaslt", () =>
      multiply(build, {
        rows,
        columns,
        depth: length,
        a: build.matrix(left, length),
        b: build.matrix(right, length, { transposed: true }),
        d: build.matrix(result, columns),
      }),
    );
    const [operation] = build.finish();
    build.write(left, a);
    build.write(right, b);
    operation.run();
    return build.read(result);
  } finally {
    build.close();
  }
}
