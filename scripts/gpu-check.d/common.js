import { syntheticPreprocessing } from "../../dist/benchmark/synthetic.js";
import { openEngine } from "../../dist/engine/host/open.js";
import { paper } from "../../dist/network/architectures/paper.js";
import { initialise } from "../../dist/network/initialise.js";
import { scaleWidth } from "../../dist/network/transform.js";

/** What the stages share. */

export function networkOf({ width }) {
  return scaleWidth(paper, width);
}

export async function withCuda(precision, use) {
  const engine = await openEngine("cuda", { precision });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

export const STEP = { learningRate: 1e-4, momentum: 0.9, weightDecay: 5e-4, seed: 1 };

/** A program for training on synthetic pictures. */
export async function compileTraining(engine, network, batchSize) {
  const preprocessing = syntheticPreprocessing();
  const program = await engine.compile(network, { batchSize, mode: "train", preprocessing });
  await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
  return program;
}

export function table(heads, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}
