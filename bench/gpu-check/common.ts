import { syntheticPreprocessing } from "#src/benchmark/synthetic.js";
import type { Engine, Precision, Program, StepOptions } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { paper } from "#src/network/architectures/paper.js";
import { initialise } from "#src/network/initialise.js";
import type { Network } from "#src/network/network.js";
import { scaleWidth } from "#src/network/transform.js";

export function networkOf({ width }: { readonly width: number }): Network {
  return scaleWidth(paper, width);
}

/** What `use` makes of a CUDA engine, which is closed afterwards. */
export async function withCuda<T>(precision: Precision, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await openEngine("cuda", { precision });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

export const STEP: StepOptions = { learningRate: 1e-4, momentum: 0.9, weightDecay: 5e-4, seed: 1 };

/** A program for training on synthetic pictures. */
export async function compileTraining(engine: Engine, network: Network, batchSize: number): Promise<Program> {
  const preprocessing = syntheticPreprocessing(network.input.size);
  const program = await engine.compile(network, { batchSize, mode: "train", preprocessing });
  await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
  return program;
}
