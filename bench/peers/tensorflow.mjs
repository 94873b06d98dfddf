// The paper's network in TensorFlow.js, predicting, as a side of bench/compare. Its convolutions have no groups: each
// half is one of its own. Response normalisation, which the wasm backend lacks, is a 1x1 convolution of the squares.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs");
const { values: options } = parseArgs({
  options: { batch: { type: "string", default: "64" }, backend: { type: "string", default: "wasm" } },
});
if (options.backend === "wasm") {
  const wasm = require("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
}
await tf.setBackend(options.backend);
await tf.ready();

/** (height, width, channels, filters), drawn once. */
const filter = (size, channels, filters) => tf.randomNormal([size, size, channels, filters], 0, 0.01);
const band = (maps) =>
  tf.tensor4d(
    Float32Array.from({ length: maps * maps }, (_, i) => Number(Math.abs(Math.floor(i / maps) - (i % maps)) <= 2)),
    [1, 1, maps, maps],
  );

const normalise = (window) => (x) => {
  const sums = tf.conv2d(tf.square(x), window, 1, "valid");
  return tf.div(x, tf.pow(tf.add(2, tf.mul(1e-4, sums)), 0.75));
};
const convolve = (size, channels, filters, stride, padding, groups) => {
  const halves = Array.from({ length: groups }, () => filter(size, channels / groups, filters / groups));
  const convolveHalf = (x, i) => tf.relu(tf.conv2d(x, halves[i], stride, padding));
  return (x) => (groups === 1 ? convolveHalf(x, 0) : tf.concat(tf.split(x, groups, 3).map(convolveHalf), 3));
};
const pool = (x) => tf.maxPool(x, 3, 2, "valid");
const connect = (inputs, outputs) => {
  const weights = tf.randomNormal([inputs, outputs], 0, 0.01);
  return (x) => tf.matMul(x, weights);
};
const layers = [
  ...[convolve(11, 3, 96, 4, "valid", 1), normalise(band(96)), pool],
  ...[convolve(5, 96, 256, 1, "same", 2), normalise(band(256)), pool],
  ...[convolve(3, 256, 384, 1, "same", 1), convolve(3, 384, 384, 1, "same", 2), convolve(3, 384, 256, 1, "same", 2)],
  ...[pool, (x) => tf.reshape(x, [x.shape[0], 9216])],
  ...[connect(9216, 4096), tf.relu, connect(4096, 4096), tf.relu, connect(4096, 1000), tf.softmax],
];
const pictures = tf.randomUniform([Number(options.batch), 227, 227, 3], -2, 2);

async function step() {
  const probabilities = tf.tidy(() => layers.reduce((x, layer) => layer(x), pictures));
  await probabilities.data();
  probabilities.dispose();
}

await step();
console.log(JSON.stringify({ version: `TensorFlow.js ${tf.version.tfjs} (${tf.getBackend()})` }));
for await (const _ of createInterface(process.stdin)) {
  const start = performance.now();
  await step();
  console.log(JSON.stringify({ milliseconds: performance.now() - start }));
}
