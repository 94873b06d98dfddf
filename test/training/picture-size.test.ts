import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { classify } from "#src/evaluation/classify.js";
import { evaluate } from "#src/evaluation/evaluate.js";
import { features } from "#src/evaluation/features.js";
import { look } from "#src/evaluation/look.js";
import { exportModel } from "#src/formats/export.js";
import { importModel } from "#src/formats/import.js";
import { loadPicture } from "#src/images/picture.js";
import { constantMean } from "#src/model/model.js";
import { recipes } from "#src/recipes/recipes.js";
import { checkpointPath } from "#src/runs/checkpoint/keep.js";
import { readModel } from "#src/runs/checkpoint/read.js";
import { verifyStore } from "#src/store/checking/verify.js";
import { prepare } from "#src/store/preparing/prepare.js";
import { openStore } from "#src/store/store.js";
import { resume, type TrainOptions, train } from "#src/training/train.js";
import { alexnet } from "../support/command-line.js";
import { expectSameModel } from "../support/models.js";
import { drawnPictures } from "../support/pictures.js";
import { unwatched } from "../support/task.js";

/** Pictures of 32 for a network that sees crops of 28: what small pictures, such as digits, are trained as. */

const pictures = drawnPictures({ train: 10, val: 3 });
const scratch = (name: string): string => join(pictures.scratch, name);

const small = {
  name: "small",
  input: { channels: 3, size: 28 },
  layers: [
    { kind: "convolution", name: "conv1", filters: 8, size: 5, stride: 1, padding: 2, groups: 1 },
    { kind: "relu", name: "relu1" },
    { kind: "max-pool", name: "pool1", size: 3, stride: 2 },
    { kind: "fully-connected", name: "fc2", outputs: 3 },
  ],
} as const;

const quick: Omit<TrainOptions, "data" | "run"> = {
  recipe: { ...recipes.small, name: "quick", epochs: 12, batchSize: 8, learningRate: 0.02 },
  engine: "onednn",
  threads: 1,
};

describe("pictures of another size than 256", () => {
  test.each(["raw", "jpeg"] as const)(
    "are prepared as %s, recorded, verified and decoded as they are",
    async (encoding) => {
      const out = scratch(`store-${encoding}`);
      const { info } = await prepare({ source: pictures.path, out, size: 32, encoding });
      expect(info.pictureSize).toBe(32);
      const store = await openStore(out);
      expect(store.mean).toHaveLength(32 * 32 * 3);
      expect(await verifyStore(store, {}, unwatched)).toEqual([]);
      if (encoding === "raw") {
        const expected = await loadPicture(join(pictures.path, store.fileName("train", 0)), { size: 32 });
        expect(Buffer.compare(store.encoded("train", 0), expected)).toBe(0);
      }
      await store.close();
    },
  );

  test("a store asked for in another size is refused with both", async () => {
    const out = scratch("store-once");
    await prepare({ source: pictures.path, out, size: 32 });
    await expect(prepare({ source: pictures.path, out, size: 48 })).rejects.toMatchObject({
      code: "settings-differ",
      message: expect.stringMatching(/size 32, not 48/),
    });
  });

  test("train, resume, evaluate, classify, look, give features and are exported end to end", async () => {
    const run = scratch("run");
    const network = scratch("small.json");
    writeFileSync(network, JSON.stringify(small));
    await train({ ...quick, data: pictures.path, preparation: { size: 32 }, run, network });
    await resume({ run, epochs: 13, override: true });

    const config = JSON.parse(readFileSync(join(run, "config.json"), "utf8"));
    expect(config.data.preparation.size).toBe(32);
    const model = readModel(checkpointPath(join(run, "checkpoints"), "best"));
    expect(model.preprocessing.mean).toHaveLength(32 * 32 * 3);
    const { samples, top1Correct } = await evaluate({ run, engine: "onednn", views: 10 });
    expect(samples).toBe(9);
    expect(top1Correct).toBeGreaterThanOrEqual(8);

    const file = join(pictures.path, "val/lake/0.png");
    for (const engine of ["onednn", "reference"] as const)
      for await (const row of classify({ run, pictures: [file], engine }))
        expect(row).toMatchObject({ predictions: [{ class: "lake" }, {}, {}] });
    const looked = await look({ run, picture: file, out: scratch("look"), occlusion: { size: 8, step: 4 } });
    expect(looked.class).toBe("lake");
    await features({ run, pictures: [file], out: scratch("features.npy"), format: "npy", layer: "pool1" });

    const grey = { ...model, preprocessing: { mean: constantMean([9, 8, 7], 32), scale: [1, 2, 3] as const } };
    await exportModel(grey, scratch("grey.pth"), { format: "pytorch" });
    expectSameModel((await importModel(scratch("grey.pth"))).model, grey);
    for (const [format, name] of [
      ["onnx", "model.onnx"],
      ["safetensors", "model.safetensors"],
      ["pytorch", "model.pth"],
    ] as const) {
      await exportModel(model, scratch(name), { format });
      expectSameModel((await importModel(scratch(name))).model, model);
    }
  });

  test("a network that sees more than the pictures have is refused with both numbers, by train and the command line", async () => {
    const out = scratch("store-larger");
    await prepare({ source: pictures.path, out, size: 32 });
    const refused = train({ ...quick, data: out, run: scratch("larger"), network: "paper" });
    await expect(refused).rejects.toMatchObject({
      code: "unusable-data",
      message: expect.stringMatching(/pictures of 32x32, and paper sees crops of 227x227/),
      hints: [{ option: "size", value: 227 }],
    });
    const { status, stderr } = alexnet("train", out, "--run", scratch("larger"), "--network", "paper");
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/crops of 227x227; prepare larger pictures \(--size 227\)/);
  });

  test("a model is not evaluated on pictures of another size than it learned from", async () => {
    const run = scratch("run-48");
    await train({ ...quick, data: pictures.path, preparation: { size: 48 }, run, network: small });
    const out = scratch("store-32");
    await prepare({ source: pictures.path, out, size: 32 });
    await expect(evaluate({ run, data: out })).rejects.toMatchObject({
      code: "unusable-data",
      message: expect.stringMatching(/pictures of 32x32, and the model's mean image is of 48x48/),
    });
  });
});
