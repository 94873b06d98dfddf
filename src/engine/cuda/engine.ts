import type { Layer, Network } from "../../network/network.js";
import type { Parameter } from "../../network/parameters.js";
import { type Preprocessing, pictureBytes, pictureSizeFor } from "../../network/picture.js";
import { outputShape, volume } from "../../network/shapes.js";
import type { ComputeEngine } from "../compute.js";
import {
  type LayerInputs,
  type LayerOutputs,
  type LossOutputs,
  type Precision,
  pictureShape,
  type Tensor,
} from "../engine.js";
import { Build } from "./build.js";
import { ControlBlock } from "./controls.js";
import { type Gpu, openGpu } from "./gpu.js";
import { inputForm } from "./input.js";
import { layoutOf, lengthOf } from "./layer.js";
import { addLayers } from "./layers.js";
import { pack, unpack } from "./layout.js";
import { addLoss, addSoftmax, outcomeOf } from "./loss.js";
import { copyRate, matrixRate } from "./machine-rates.js";
import { Parameters } from "./parameters.js";
import { planProgram } from "./plan.js";
import { compileProgram } from "./program.js";

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
      threads: 1,
    },
    compile: (network, compileOptions) => compileProgram(gpu, network, compileOptions),
    estimateMemory(network, { batchSize, mode }) {
      const { build } = planProgram(gpu, network, { batchSize, mode, preprocessing: noMean(network) });
      const bytes = build.estimateBytes();
      build.close();
      return bytes;
    },
    differentiate: (layer, inputs) => differentiate(gpu, layer, inputs),
    crossEntropy: (logits, labels) => crossEntropy(gpu, logits, labels),
    multiply: (a, b, length) => multiply(gpu, a, b, length),
    measureMatrixRate: (size) => matrixRate(gpu, size),
    measureCopyRate: (bytes) => copyRate(gpu, bytes),
    close: () => gpu.close(),
  };
}

/** One layer as a program of its own. */
function differentiate(gpu: Gpu, layer: Layer, { x, w, b, dy }: LayerInputs): LayerOutputs {
  const batchSize = x.shape[0];
  const shape = pictureShape(x);
  const output = outputShape(layer, shape);
  const build = new Build(gpu);
  try {
    const parameters = new Parameters(build, layerParameters(layer, w, b), true);
    const square = shape.height === shape.width;
    const form = square ? inputForm(shape.height, layer, shape.channels) : { shape };
    const source = { ...form, tensor: build.tensor(lengthOf(form, batchSize), { kept: true }), rectified: false };
    const { stage } = addLayers(layer, source, {
      ...{ build, parameters, batchSize, training: true, index: 0, following: [], last: false },
      needsInputGradient: true,
      controls: new ControlBlock(build, batchSize).tensor,
    });
    stage.y.tensor.block.kept = true;
    const upstream = build.tensor(batchSize * volume(output), { kept: true });
    const dx = stage.backward(upstream);
    if (dx === undefined) throw new Error(`${layer.name}: gave no input gradient`);
    dx.block.kept = true;
    const operations = build.finish();
    build.write(source.tensor, pack(layoutOf(source, batchSize), x.data));
    build.write(upstream, pack(layoutOf(stage.y, batchSize), dy.data));
    parameters.write("parameters", Float32Array.from([...(w?.data ?? []), ...(b?.data ?? [])]));
    for (const operation of operations) operation.run();
    const gradients = parameters.read("gradients");
    const read = (from: typeof source.tensor, activation: typeof source | typeof stage.y, dims: readonly number[]) => {
      const values = new Float32Array(dims.reduce((product, n) => product * n, 1));
      unpack(layoutOf(activation, batchSize), build.read(from), values);
      return tensor(dims, values);
    };
    return {
      y: read(stage.y.tensor, stage.y, dy.shape),
      dx: read(dx, source, x.shape),
      ...(w && { dw: tensor(w.shape, gradients.subarray(0, w.data.length)) }),
      ...(b && { db: tensor(b.shape, gradients.subarray(w?.data.length ?? 0)) }),
    };
  } finally {
    build.close();
  }
}

/** The parameter table of one layer with the weights and biases given. */
function layerParameters(layer: Layer, w: Tensor | undefined, b: Tensor | undefined): readonly Parameter[] {
  if (w === undefined || b === undefined) return [];
  const common = { layer: layer.name, fanIn: w.data.length / w.shape[0] };
  const { length } = w.data;
  return [
    { ...common, name: `${layer.name}.weight`, role: "weight", shape: w.shape, count: length, offset: 0 },
    { ...common, name: `${layer.name}.bias`, role: "bias", shape: b.shape, count: b.data.length, offset: length },
  ];
}

function crossEntropy(gpu: Gpu, { shape, data }: Tensor, labels: Int32Array): LossOutputs {
  const [batch, classes] = shape;
  const build = new Build(gpu);
  try {
    const controls = new ControlBlock(build, batch);
    const logits = build.tensor(data.length, { format: "float32", kept: true });
    const probabilities = addSoftmax(build, logits, classes);
    const { dlogits, result } = addLoss(build, logits, controls.labels, controls.tensor, classes);
    dlogits.block.kept = true;
    const operations = build.finish();
    const orders = new DataView(new ArrayBuffer(controls.bytes));
    const options = { learning: true, seed: 0, learningRate: 0, momentum: 0, weightDecay: 0, pictures: 0n };
    const view = { picture: 0, top: 0, left: 0, mirrored: false, colourShift: [0, 0, 0] } as const;
    const places = Array.from({ length: batch }, () => 0);
    controls.write(orders, { ...options, labels, places, views: places.map(() => view) });
    build.write(controls.tensor, new Float32Array(orders.buffer));
    build.write(logits, Float32Array.from(data));
    for (const operation of operations) operation.run();
    return {
      probabilities: tensor(shape, build.read(probabilities)),
      loss: outcomeOf(new DataView(build.read(result).buffer)).loss,
      dlogits: tensor(shape, build.read(dlogits)),
    };
  } finally {
    build.close();
  }
}

function multiply(gpu: Gpu, a: Float32Array, b: Float32Array, length: number): Float32Array {
  const [rows, columns] = [a.length / length, b.length / length];
  if (rows * columns === 0) return new Float32Array(0);
  const build = new Build(gpu);
  try {
    const float32 = (values: number) => build.tensor(values, { format: "float32", kept: true });
    const [left, right, result] = [a.length, b.length, rows * columns].map(float32);
    build.add({ layer: "multiply", kind: "fully-connected", direction: "forward" }, [], "cublaslt", () => {
      const product = gpu.blas.prepare({
        ...{ rows, columns, depth: length, workspace: build.blasWorkspace },
        a: build.matrix(left, length),
        b: build.matrix(right, length, { transposed: true }),
        d: build.matrix(result, columns),
      });
      build.own(product.close);
      return product.run;
    });
    const [operation] = build.finish();
    build.write(left, a);
    build.write(right, b);
    operation.run();
    return build.read(result);
  } finally {
    build.close();
  }
}

function tensor(shape: readonly number[], values: Float32Array): Tensor {
  return { shape, data: Float64Array.from(values) };
}

/** Preprocessing of pictures that the network's crop fits into. */
function noMean({ input }: Network): Preprocessing {
  return { mean: new Float32Array(pictureBytes(pictureSizeFor(input.size))), scale: [1, 1, 1] };
}
