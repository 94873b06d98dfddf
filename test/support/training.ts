import { createHash } from "node:crypto";
import type { Network } from "#src/network/network.js";
import { parameterCount } from "#src/network/parameters.js";
import { recipeByName, recipes } from "#src/recipes/recipes.js";
import type { Checkpoint } from "#src/runs/checkpoint/format.js";
import { initialState } from "#src/runs/state.js";
import type { TrainOptions } from "#src/training/train.js";

/** Floats by their hash: comparing hundred thousands of them one by one is slow. */
export function compact(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) =>
      part instanceof Float32Array ? createHash("sha256").update(part).digest("hex") : part,
    ),
  );
}

/** Of the shape of a network, small enough for anything. */
export const tinyNetwork: Network = {
  name: "tiny",
  input: { channels: 3, size: 67 },
  layers: [
    { kind: "convolution", name: "conv1", filters: 4, size: 11, stride: 8, padding: 0, groups: 1 },
    { kind: "relu", name: "relu1" },
    { kind: "max-pool", name: "pool1", size: 3, stride: 2 },
    { kind: "fully-connected", name: "fc2", outputs: 6 },
    { kind: "relu", name: "relu2" },
    { kind: "dropout", name: "drop2", rate: 0.5 },
    { kind: "fully-connected", name: "fc3", outputs: 3 },
  ],
};

/** Options of a training run of seconds: a tiny network, 3 epochs in batches of 8, one thread. */
export function quickTraining(data: string, run: string, changes: Partial<TrainOptions> = {}): TrainOptions {
  const recipe = { ...recipes.small, name: "quick", epochs: 3, batchSize: 8 };
  return { data, run, network: tinyNetwork, recipe, engine: "onednn", threads: 1, ...changes };
}

/** A checkpoint whose values follow from its step. */
export function exampleCheckpoint(step: number, best: number | null = null): Checkpoint {
  const count = parameterCount(tinyNetwork);
  return {
    model: {
      network: tinyNetwork,
      classes: ["crab", "crow", "Ünïcødé 猫"],
      preprocessing: { mean: Float32Array.from({ length: 256 * 256 * 3 }, (_, i) => i % 255), scale: [1, 0.5, 1 / 58] },
      parameters: Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i + step))),
    },
    origin: {
      recipe: recipeByName("small"),
      seed: 12,
      dataHash: "abc",
      colour: {
        values: [3, 2, 1],
        vectors: [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ],
      },
      engine: { engine: "reference", library: "float64", instructionSet: "none", precision: "float32", threads: 1 },
      state: {
        ...initialState(30),
        step,
        epochTally: { steps: 2, samples: 7, lossSum: 0.1 + 0.2, correct: 1 },
        best: best === null ? null : { epoch: 1, step: best, error: 1 / 3 },
      },
    },
    momentum: Float32Array.from({ length: count }, (_, i) => Math.fround(Math.cos(i * step))),
  };
}
