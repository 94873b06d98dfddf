// Trains as long as it is told and prints the resident memory at the end of each epoch, in bytes, as JSON.
// node --expose-gc soak-run.js <store> <run> <network file> <epochs>

import { readFileSync } from "node:fs";
import { recipes } from "#src/recipes/recipes.js";
import { train } from "#src/training/train.js";

const [data, run, network, epochs] = process.argv.slice(2);
const memory = [];

function measure() {
  globalThis.gc(); // what is rubbish by chance is no growth
  memory.push(process.memoryUsage.rss());
}

await train({
  data,
  run,
  network: JSON.parse(readFileSync(network, "utf8")),
  recipe: { ...recipes.small, epochs: Number(epochs), batchSize: 2 },
  threads: 1,
  workers: 1,
  checkpointEvery: { unit: "steps", every: 40 },
  onEvent: ({ kind }) => kind === "epoch" && measure(),
});
console.log(JSON.stringify(memory));
