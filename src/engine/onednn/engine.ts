import type { Layer } from "../../network/network.js";
import type { ComputeEngine } from "../compute.js";
import type { LayerInputs, LayerOutputs, Precision } from "../engine.js";
import {
  aloneAt,
  layerOutputs,
  parametersOf,
  parameterValues,
  plainPreprocessing,
  tensorOf,
} from "../program/one-layer.js";
import { Algorithms, describeMachine, usualSources } from "./algorithms.js";
import { Build } from "./build.js";
import { type Activation, type Current, readRows } from "./layer.js";
import { addLayer } from "./layers/index.js";
import { crossEntropy, softmax } from "./layers/loss.js";
import { copyRate, matrixRate } from "./machine-rates.js";
import type { NumberType } from "./native/bindings.js";
import { type Library, openLibrary } from "./native/library.js";
import { copy, Parameters } from "./parameters.js";
import { Products } from "./products.js";
import { compileProgram, noBatch, planProgram } from "./program.js";

interface OpenOptions {
  readonly threads?: number;
  /** Default float32. */
  readonly precision?: Precision;
}

/**
 * The CPU engine on oneDNN's C API. Call on the thread that will compute.
 * @throws AlexnetError "engine" when the library can't be opened.
 */
export function openOneDnn(options: OpenOptions): ComputeEngine {
  const library = openLibrary(options.threads);
  const type: NumberType = options.precision === "bf16" ? "bfloat16" : "float32";
  const products = new Products(library);
  return {
    description: {
      engine: "onednn",
      library: `oneDNN ${library.version}`,
      instructionSet: type === "float32" ? library.instructionSet : `${library.instructionSet}, bf16`,
      threads: library.threads,
    },
    compile: (network, compileOptions) => compileProgram(library, type, network, compileOptions),
    estimateMemory(network, { batchSize, mode }) {
      const { build } = planProgram(
        library,
        type,
        network,
        { batchSize, mode, preprocessing: plainPreprocessing(network) },
        false,
      );
      const bytes = build.estimateBytes();
      build.close();
      return bytes;
    },
    differentiate: (layer, inputs) => differentiate(library, type, layer, inputs),
    crossEntropy(logits, labels) {
      const [batch, classes] = logits.shape;
      const values = Float32Array.from(logits.data);
      const probabilities = new Float32Array(values.length);
      softmax(values, probabilities, batch, classes);
      const dlogits = new Float32Array(values.length);
      const { loss } = crossEntropy(values, labels, dlogits, classes);
      return { probabilities: tensorOf(logits.shape, probabilities), loss, dlogits: tensorOf(logits.shape, dlogits) };
    },
    multiply: (a, b, length) => products.multiply(a, b, length),
    measureMatrixRate: (size) => matrixRate(library, size, type),
    measureCopyRate: (bytes) => copyRate(library, bytes),
    close() {
      products.close();
      library.close();
    },
  };
}

/** One layer as a program of its own. */
function differentiate(library: Library, type: NumberType, layer: Layer, inputs: LayerInputs): LayerOutputs {
  const { x, dy } = inputs;
  const batchSize = x.shape[0];
  const build = new Build(library, type);
  try {
    const parameters = new Parameters(build, parametersOf(layer, inputs), { training: true });
    const algorithms = new Algorithms(describeMachine(library), usualSources({ measures: false }));
    const current: Current = { batch: noBatch, seed: 0, purpose: "learning", divisor: batchSize };
    const keptTensor = (dims: readonly number[]) => build.tensor(build.descriptor(dims, "row-major"), { kept: true });
    const source: Activation = { tensor: keptTensor(x.shape), dims: x.shape, rectified: false };
    const context = { ...aloneAt(layer, inputs), build, parameters, algorithms, batchSize, training: true, current };
    const stage = addLayer(layer, source, context);
    stage.y.tensor.block.kept = true;
    const upstream = keptTensor(dy.shape);
    const dx = stage.backward(upstream);
    if (dx === undefined) throw new Error(`${layer.name}: gave no input gradient`);
    dx.block.kept = true;
    const operations = build.finish();
    copy(build, source.tensor, x.shape, Float32Array.from(x.data), "write");
    copy(build, upstream, dy.shape, Float32Array.from(dy.data), "write");
    parameters.write("parameters", parameterValues(inputs));
    for (const operation of operations) operation.run();
    const y = readRows(build, { ...stage.y, dims: dy.shape });
    return layerOutputs(inputs, y, readRows(build, { ...source, tensor: dx }), parameters.read("gradients"));
  } finally {
    build.close();
  }
}
