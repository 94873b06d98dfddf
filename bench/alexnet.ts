import { syntheticBatch, syntheticPreprocessing } from "#src/benchmark/synthetic.js";
import type { PrecisionChoice } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { exportModel } from "#src/formats/export.js";
import { paper } from "#src/network/architectures/paper.js";
import { initialise } from "#src/network/initialise.js";
import type { Side } from "./side.js";

const parameters = (): Float32Array => initialise(paper, { deviation: "he", biases: {} }, 1);

/** The network that `startAlexnet` runs, as ONNX. */
export async function exportForPeers(path: string): Promise<void> {
  const classes = Array.from({ length: 1000 }, (_, i) => String(i));
  const model = {
    network: paper,
    parameters: parameters(),
    preprocessing: syntheticPreprocessing(paper.input.size),
    classes,
  };
  await exportModel(model, path, { format: "onnx" });
}

/** This project as a side of the comparison. */
export async function startAlexnet(
  mode: "train" | "predict",
  batchSize: number,
  precision: PrecisionChoice,
): Promise<Side> {
  const engine = await openEngine("auto", { precision });
  const program = await engine.compile(paper, {
    batchSize,
    mode,
    preprocessing: syntheticPreprocessing(paper.input.size),
  });
  await program.write("parameters", parameters());
  const batch = syntheticBatch(batchSize, paper.input.size, 1000);
  const step = (): Promise<unknown> =>
    mode === "train"
      ? program.step(batch, { learningRate: 1e-4, momentum: 0.9, weightDecay: 0.0005, seed: 1 })
      : program.predict(batch);
  for (let i = 0; i < 2; i++) await step();
  return {
    name: `alexnet-${engine.description.precision}`,
    version: `${engine.description.library}, ${engine.description.instructionSet}`,
    async measure() {
      const start = performance.now();
      await step();
      return performance.now() - start;
    },
    stop: () => engine.close(),
  };
}
