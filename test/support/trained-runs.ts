import { join } from "node:path";
import { beforeAll } from "vitest";
import { recipes } from "#src/recipes/recipes.js";
import { train } from "#src/training/train.js";
import { drawnPictures, type PictureFolder } from "./pictures.js";
import { tinyNetwork } from "./training.js";

export interface TrainedSet extends PictureFolder {
  /** A run of two epochs on the pictures. */
  readonly run: string;
}

/** Every call of the engine in these tests: one thread, so that tests run side by side. */
export const quick = { engine: "onednn", threads: 1 } as const;

/** A tiny network trained on drawn pictures of three classes, once a test file. */
export function trainedSet(): TrainedSet {
  const pictures = drawnPictures({ train: 8, val: 5 });
  const run = join(pictures.scratch, "run");
  beforeAll(async () => {
    await train({
      data: pictures.path,
      run,
      network: tinyNetwork,
      recipe: { ...recipes.small, name: "quick", epochs: 2, batchSize: 8, learningRate: 0.003 },
      seed: 5,
      ...quick,
    });
  });
  return { ...pictures, run };
}
