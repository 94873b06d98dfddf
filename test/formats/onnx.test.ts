import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { exportModel } from "#src/formats/export.js";
import { importModel } from "#src/formats/import.js";
import { loadPicture } from "#src/images/picture.js";
import type { Model } from "#src/model/model.js";
import type { Layer, LocalResponseNorm, Network } from "#src/network/network.js";
import { networkByName, variants } from "#src/network/networks.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { temporaryFolder } from "../support/folders.js";
import {
  expectSameModel,
  noisePicture,
  predictCentre,
  randomModel,
  softmax,
  worstDifference,
} from "../support/models.js";
import { runOnnx } from "../support/onnxruntime.js";

const folder = temporaryFolder();

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine("reference");
});
afterAll(async () => {
  await engine.close();
});

const narrow = (name: string): Network => withClasses(scaleWidth(networkByName(name), 0.06), 7);

/** With norms that matter. */
function strong(network: Network, window: Pick<LocalResponseNorm, "groups" | "region">): Network {
  const layers = network.layers.map((layer) => {
    if (layer.kind !== "local-response-norm") return layer;
    const { groups: _, region: __, ...rest } = layer;
    return { ...rest, alpha: 0.5, ...window };
  });
  return { ...network, layers };
}

/** What onnxruntime makes of pictures as they are. */
function runOnPictures(path: string, pictures: readonly Uint8Array[]): Promise<Float32Array> {
  return runOnnx(path, "pictures", Buffer.concat(pictures), [pictures.length, 256, 256, 3]);
}

/** What it makes of pictures preprocessed as the documentation says. */
function runPreprocessed(path: string, model: Model, pictures: readonly Uint8Array[]): Promise<Float32Array> {
  const { size } = model.network.input;
  const values = pictures.flatMap((picture) => preprocess(model, picture));
  return runOnnx(path, "input", Float32Array.from(values), [pictures.length, 3, size, size]);
}

function preprocess({ network, preprocessing: { mean, scale } }: Model, picture: Uint8Array): number[] {
  const { size } = network.input;
  const start = Math.floor((256 - size) / 2);
  return Array.from({ length: 3 * size * size }, (_, i) => {
    const [c, y, x] = [Math.floor(i / (size * size)), Math.floor(i / size) % size, i % size];
    const at = ((start + y) * 256 + start + x) * 3 + c;
    return (picture[at] - mean[at]) * scale[c];
  });
}

function rows(values: Float32Array, count: number): Float32Array[] {
  const length = values.length / count;
  return Array.from({ length: count }, (_, i) => values.subarray(i * length, (i + 1) * length));
}

describe("exported networks, run by onnxruntime", () => {
  it.each(variants.map(({ network }) => network.name))("%s gives the reference's probabilities", async (name) => {
    const model = randomModel(narrow(name), 5);
    const pictures = [noisePicture(1), noisePicture(2), noisePicture(3)];
    const expected = await predictCentre(engine, model, pictures);

    const complete = join(folder, `${name}-complete.onnx`);
    await exportModel(model, complete, { format: "onnx", withPreprocessing: true });
    expect(worstDifference(await runOnPictures(complete, pictures), expected)).toBeLessThan(1e-5);
    // The batch is dynamic.
    const [alone] = rows(expected, 3);
    expect(worstDifference(await runOnPictures(complete, pictures.slice(0, 1)), alone)).toBeLessThan(1e-5);

    const plain = join(folder, `${name}.onnx`);
    await exportModel(model, plain, { format: "onnx" });
    const logits = rows(await runPreprocessed(plain, model, pictures), 3);
    expect(worstDifference(logits.flatMap(softmax), expected)).toBeLessThan(1e-5);
  });

  it.each([{}, { groups: 2 }, { region: "within-map" } as const])("norms are ours: %o", async (window) => {
    const model = randomModel(strong(narrow("paper"), window), 5);
    const pictures = [noisePicture(1), noisePicture(2)];
    const path = join(folder, `strong-${Object.keys(window)}.onnx`);
    await exportModel(model, path, { format: "onnx", withPreprocessing: true });
    const expected = await predictCentre(engine, model, pictures);
    expect(worstDifference(await runOnPictures(path, pictures), expected)).toBeLessThan(1e-5);
    // Another window gives other outputs: the comparison above can fail.
    const other = { ...model, network: strong(model.network, "groups" in window ? {} : { groups: 2 }) };
    expect(worstDifference(await predictCentre(engine, other, pictures), expected)).toBeGreaterThan(1e-3);
  });

  it("tanh is ours, and comes back", async () => {
    const network = narrow("cifar");
    const layers = network.layers.map((layer): Layer => (layer.kind === "relu" ? { ...layer, kind: "tanh" } : layer));
    const model = randomModel({ ...network, name: "tanh", layers }, 5);
    const pictures = [noisePicture(1), noisePicture(2)];
    const path = join(folder, "tanh.onnx");
    await exportModel(model, path, { format: "onnx", withPreprocessing: true });
    const expected = await predictCentre(engine, model, pictures);
    expect(worstDifference(await runOnPictures(path, pictures), expected)).toBeLessThan(1e-5);
    expectSameModel((await importModel(path)).model, model);
    const rectified = { ...model, network };
    expect(worstDifference(await predictCentre(engine, rectified, pictures), expected)).toBeGreaterThan(1e-3);
  });

  it("outputs differ from picture to picture", async () => {
    const model = randomModel(narrow("paper"), 5);
    const [first, second] = rows(await predictCentre(engine, model, [noisePicture(1), noisePicture(2)]), 2);
    expect(worstDifference(first, second)).toBeGreaterThan(1e-3);
  });

  it.each(["paper", "original-2012", "one-weird-trick"])("%s in float16 is near, and half as large", async (name) => {
    const network = narrow(name);
    const model = randomModel(network, 6);
    const pictures = [noisePicture(4), noisePicture(5)];
    const half = join(folder, `${name}-16.onnx`);
    const whole = await exportModel(model, join(folder, `${name}-32.onnx`), { format: "onnx" });
    const bytes = await exportModel(model, half, { format: "onnx", withPreprocessing: true, float16: true });
    expect(bytes).toBeLessThan(whole - 2 * model.parameters.length + 3 * 4 * network.input.size ** 2 + 5000);
    const expected = await predictCentre(engine, model, pictures);
    expect(worstDifference(await runOnPictures(half, pictures), expected)).toBeLessThan(5e-3);
  });

  it("is refused where a layer's name is taken", async () => {
    const network = narrow("paper");
    const layers = network.layers.map((layer) => (layer.name === "conv3" ? { ...layer, name: "input" } : layer));
    const model = randomModel({ ...network, layers }, 1);
    await expect(exportModel(model, join(folder, "x.onnx"), { format: "onnx" })).rejects.toThrow(
      /input: the ONNX graph has a value of this name already; rename the layer/,
    );
    expect(existsSync(join(folder, "x.onnx"))).toBe(false);
  });
});

describe("imported again", () => {
  it.each([false, true])("comes back exactly, with preprocessing: %s", async (withPreprocessing) => {
    for (const name of ["original-2012", "one-weird-trick"]) {
      const model = randomModel(narrow(name), 8);
      const path = join(folder, `again-${name}-${withPreprocessing}.onnx`);
      await exportModel(model, path, { format: "onnx", withPreprocessing });
      const { model: again, assumptions } = await importModel(path);
      expectSameModel(again, model);
      expect(assumptions).toEqual([]);
    }
  });

  it("from float16 is within a half's precision", async () => {
    const model = randomModel(narrow("caffe"), 8);
    const path = join(folder, "again-half.onnx");
    await exportModel(model, path, { format: "onnx", float16: true });
    const { parameters } = (await importModel(path)).model;
    const errors = parameters.map((value, i) => {
      const exact = model.parameters[i];
      return Math.abs(value - exact) / (Math.abs(exact) + 2 ** -14);
    });
    expect(errors.every((error) => error <= 2 ** -11)).toBe(true);
  });
});

const photos = new URL("../../../shared/data/photos", import.meta.url).pathname;
const onednn = await openEngine("onednn").catch((error: Error) => error.message);

describe("at full size", () => {
  const missing = !existsSync(photos) ? `no ${photos}` : typeof onednn === "string" ? onednn : undefined;
  it.skipIf(missing !== undefined)(
    `agrees on photos${missing === undefined ? "" : ` (skipped: ${missing})`}`,
    async () => {
      if (typeof onednn === "string") return;
      const model = randomModel(networkByName("paper"), 11);
      const path = join(folder, "full.onnx");
      await exportModel(model, path, { format: "onnx", withPreprocessing: true });
      const files = readdirSync(photos).sort().slice(0, 6);
      const pictures = await Promise.all(files.map((file) => loadPicture(join(photos, file))));
      const expected = await predictCentre(onednn, model, pictures);
      expect(worstDifference(await runOnPictures(path, pictures), expected)).toBeLessThan(1e-5);
      await onednn.close();
    },
  );
});
