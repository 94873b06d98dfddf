import type { Layer } from "../../network/network.js";
import { outputShape, volume } from "../../network/shapes.js";
import type { ComputeEngine } from "../compute.js";
import { type LayerInputs, type LayerOutputs, type LossOutputs, pictureShape, type Tensor } from "../engine.js";
import { leastSeconds, productOperations, secondsOf } from "../program/machine-rates.js";
import { backward, forward } from "./layers.js";
import * as loss from "./loss.js";
import { programBytes, ReferenceProgram } from "./program.js";

/** Of the machine's rates. */
const RUNS = 3;

/** Plain float64 on one thread: the definition of what every engine computes, and the oracle for their tests. */
export function openReference(): ComputeEngine {
  return {
    description: {
      engine: "reference",
      library: `float64 JavaScript, V8 ${process.versions.v8}`,
      instructionSet: "portable",
      precision: "float32",
      threads: 1,
    },
    compile: (network, options) => new ReferenceProgram(network, options),
    estimateMemory: programBytes,
    differentiate,
    crossEntropy,
    multiply,
    measureMatrixRate,
    measureCopyRate,
    close: () => {},
  };
}

function differentiate(layer: Layer, { x, w, b, dy }: LayerInputs): LayerOutputs {
  const input = pictureShape(x);
  const output = outputShape(layer, input);
  const like = (tensor: Tensor | undefined): Tensor => ({
    shape: tensor?.shape ?? [],
    data: new Float64Array(tensor?.data.length ?? 0),
  });
  const [y, dx, dw, db] = [like(dy), like(x), like(w), like(b)];
  const values = {
    samples: x.data.length / volume(input),
    input,
    output,
    x: x.data,
    w: w?.data ?? new Float64Array(0),
    b: b?.data ?? new Float64Array(0),
    y: y.data,
    mask: new Float64Array(0),
    dy: dy.data,
    dx: dx.data,
    dw: dw.data,
    db: db.data,
  };
  forward(layer, values);
  backward(layer, values);
  return w === undefined ? { y, dx } : { y, dx, dw, db };
}

function crossEntropy(logits: Tensor, labels: Int32Array, weights?: Float32Array): LossOutputs {
  const [samples = 0, classes = 0] = logits.shape;
  const probabilities = new Float64Array(logits.data.length);
  const dlogits = new Float64Array(logits.data.length);
  loss.softmax(logits.data, probabilities, samples, classes);
  loss.crossEntropyGradient(probabilities, { labels, weights }, dlogits, samples, classes);
  return {
    probabilities: { shape: logits.shape, data: probabilities },
    loss: loss.crossEntropy(logits.data, { labels, weights }, samples, classes),
    dlogits: { shape: logits.shape, data: dlogits },
  };
}

function multiply(a: Float32Array, b: Float32Array, length: number): Float32Array {
  const [rows, columns] = [a.length / length, b.length / length];
  const product = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let i = 0; i < length; i++) sum += a[row * length + i] * b[column * length + i];
      product[row * columns + column] = sum;
    }
  return product;
}

function measureMatrixRate(size: number): number {
  const a = new Float32Array(size * size).fill(1);
  const c = new Float32Array(size * size);
  return productOperations(size) / leastSeconds(RUNS, () => secondsOf(() => multiplySquare(a, a, c, size)));
}

function measureCopyRate(bytes: number): number {
  const from = new Uint8Array(bytes).fill(1);
  const to = new Uint8Array(bytes);
  return (2 * bytes) / leastSeconds(RUNS, () => secondsOf(() => to.set(from)));
}

/** c = a b, all (size, size). */
function multiplySquare(a: Float32Array, b: Float32Array, c: Float32Array, size: number): void {
  c.fill(0);
  for (let i = 0; i < size; i++)
    for (let k = 0; k < size; k++) for (let j = 0; j < size; j++) c[i * size + j] += a[i * size + k] * b[k * size + j];
}
