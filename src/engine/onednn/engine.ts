import type { Layer, Network } from "../../network/network.js";
import { type Preprocessing, pictureBytes, pictureSizeFor } from "../../network/picture.js";

import { outputShape } from "../../network/shapes.js";
import type { ComputeEngine } from "../compute.js";
import { type LayerInputs, type LayerOutputs, pictureShape, type Tensor } from "../engine.js";
import { Algorithms, describeMachine, usualSources } from "./algorithms.js";
import { Build } from "./build.js";
import { addLayer } from "./layers.js";
import { type Library, openLibrary } from "./library.js";
import { crossEntropy, softmax } from "./loss.js";
import { copyRate, matrixRate } from "./machine-rates.js";
import { copy, Parameters } from "./parameters.js";
import { Products } from "./products.js";
import { compileProgram, planProgram } from "./program.js";

/**
 * The CPU engine on oneDNN's C API. Call on the thread that will compute.
 * @throws AlexnetError "engine" when the library can't be opened.
 */
export function openOneDnn(options: { readonly threads?: number }): ComputeEngine {
  const library = openLibrary(options.threads);
  const products = new Products(library);
  return {
    description: {
      engine: "onednn",
      library: `oneDNN ${library.version}`,
      instructionSet: library.instructionSet,
      threads: library.threads,
    },
    compile: (network, compileOptions) => compileProgram(library, network, compileOptions),
    estimateMemory(network, { batchSize, mode }) {
      const { build } = planProgram(library, network, { batchSize, mode, preprocessing: noMean(network) }, false);
      const bytes = build.estimateBytes();
      build.close();
      return bytes;
    },
    differentiate: (layer, inputs) => differentiate(library, layer, inputs),
    crossEntropy(logits, labels) {
      const [batch, classes] = logits.shape;
      const values = Float32Array.from(logits.data);
      const probabilities = new Float32Array(values.length);
      softmax(values, probabilities, batch, classes);
      const dlogits = new Float32Array(values.length);
      const { loss } = crossEntropy(values, labels, dlogits, classes);
      return { probabilities: tensor(logits.shape, probabilities), loss, dlogits: tensor(logits.shape, dlogits) };
    },
    multiply: (a, b, length) => products.multiply(a, b, length),
    measureMatrixRate: (size) => matrixRate(library, size),
    measureCopyRate: (bytes) => copyRate(library, bytes),
    close() {
      products.close();
      library.close();
    },
  };
}

/** One layer as a program of its own. */
function differentiate(library: Library, layer: Layer, { x, w, b, dy }: LayerInputs): LayerOutputs {
  const batchSize = x.shape[0];
  const shape = pictureShape(x);
  const table = layerParameters(layer, w, b);
  const build = new Build(library);
  try {
    const parameters = new Parameters(build, table, true);
    const plain = (dims: readonly number[]) => build.descriptor(dims, "row-major");
    const source = build.tensor(plain(x.shape), { kept: true });
    const stage = addLayer(
      layer,
      { tensor: source, dims: x.shape, rectified: false },
      {
        build,
        parameters,
        algorithms: new Algorithms(describeMachine(library), usualSources({ measures: false })),
        batchSize,
        training: true,
        index: 0,
        output: outputShape(layer, shape),
        next: undefined,
        needsInputGradient: true,
        current: {
          batch: { pictures: new Uint8Array(), views: [], labels: new Int32Array() },
          seed: 0,
          learning: true,
        },
      },
    );
    const y = stage.y.tensor;
    y.block.kept = true;
    const upstream = build.tensor(plain(dy.shape), { kept: true });
    const dx = stage.backward(upstream);
    if (dx === undefined) throw new Error(`${layer.name}: gave no input gradient`);
    dx.block.kept = true;
    const operations = build.finish();
    build.floats(source).set(x.data);
    build.floats(upstream).set(dy.data);
    const all = Float32Array.from([...(w?.data ?? []), ...(b?.data ?? [])]);
    parameters.write("parameters", all);
    for (const operation of operations) operation.run();
    const gradients = parameters.read("gradients");
    const read = (from: typeof y, dims: readonly number[]): Tensor => {
      const values = new Float32Array(dims.reduce((p, n) => p * n, 1));
      copy(build, from, dims, values, "read");
      return tensor(dims, values);
    };
    return {
      y: read(y, dy.shape),
      dx: read(dx, x.shape),
      ...(w && { dw: tensor(w.shape, gradients.subarray(0, w.data.length)) }),
      ...(b && { db: tensor(b.shape, gradients.subarray(w?.data.length ?? 0)) }),
    };
  } finally {
    build.close();
  }
}

/** The parameter table of one layer with the weights and biases given. */
function layerParameters(layer: Layer, w: Tensor | undefined, b: Tensor | undefined) {
  if (w === undefined || b === undefined) return [];
  const common = { layer: layer.name, fanIn: w.data.length / w.shape[0] };
  return [
    { ...common, name: `${layer.name}.weight`, role: "weight", shape: w.shape, count: w.data.length, offset: 0 },
    {
      ...common,
      name: `${layer.name}.bias`,
      role: "bias",
      shape: b.shape,
      count: b.data.length,
      offset: w.data.length,
    },
  ] as const;
}

function tensor(shape: readonly number[], values: Float32Array): Tensor {
  return { shape, data: Float64Array.from(values) };
}

/** Preprocessing of pictures that the network's crop fits into. */
function noMean({ input }: Network): Preprocessing {
  return { mean: new Float32Array(pictureBytes(pictureSizeFor(input.size))), scale: [1, 1, 1] };
}
