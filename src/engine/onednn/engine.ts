import type { ComputeEngine } from "../compute.js";
import { plainPreprocessing, tensorOf } from "../program/one-layer.js";
import { crossEntropy } from "./layers/loss.js";
import { copyRate, matrixRate } from "./machine-rates.js";
import { type Library, openLibrary } from "./native/library.js";
import { differentiate } from "./one-layer.js";
import { type ChosenArithmetic, chooseArithmetic } from "./precision.js";
import { Products } from "./products.js";
import { compileProgram, planProgram } from "./program.js";

interface OpenOptions {
  readonly threads?: number;
  /** Default: what is quicker here. */
  readonly precision?: "float32" | "bf16";
}

/**
 * The CPU engine on oneDNN's C API. Call on the thread that will compute.
 * @throws AlexnetError "engine" when the library can't be opened, or computes wrongly in the precision; "unsupported"
 * where the processor can't compute in it
 */
export function openOneDnn(options: OpenOptions): ComputeEngine {
  const library = openLibrary(options.threads);
  const { arithmetic, choice } = choose(library, options.precision);
  const precision = arithmetic.type === "float32" ? "float32" : "bf16";
  const products = new Products(library);
  return {
    description: {
      engine: "onednn",
      library: `oneDNN ${library.version}`,
      instructionSet: precision === "float32" ? library.instructionSet : `${library.instructionSet}, bf16`,
      precision,
      threads: library.threads,
    },
    choice,
    compile: (network, compileOptions) => compileProgram(library, arithmetic, network, compileOptions),
    estimateMemory(network, { batchSize, mode }) {
      const { build } = planProgram(
        library,
        arithmetic,
        network,
        { batchSize, mode, preprocessing: plainPreprocessing(network) },
        false,
      );
      const bytes = build.estimateBytes();
      build.close();
      return bytes;
    },
    differentiate: (layer, inputs) => differentiate(library, arithmetic, layer, inputs),
    crossEntropy(logits, labels, weights) {
      const [, classes] = logits.shape;
      const { probabilities, loss, dlogits } = crossEntropy(
        Float32Array.from(logits.data),
        { labels, weights },
        classes,
      );
      return { probabilities: tensorOf(logits.shape, probabilities), loss, dlogits: tensorOf(logits.shape, dlogits) };
    },
    multiply: (a, b, length) => products.multiply(a, b, length),
    measureMatrixRate: (size) => matrixRate(library, size, arithmetic),
    measureCopyRate: (bytes) => copyRate(library, bytes),
    async close() {
      products.close();
      await library.close();
    },
  };
}

/** Closes the library where it can't be used. */
function choose(library: Library, precision: OpenOptions["precision"]): ChosenArithmetic {
  try {
    return chooseArithmetic(library, precision);
  } catch (error) {
    library.close().catch(() => {}); // what went wrong first is what is told
    throw error;
  }
}
