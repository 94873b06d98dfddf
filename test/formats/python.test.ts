import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "#src/engine/host/open.js";
import { exportModel } from "#src/formats/export.js";
import { importModel } from "#src/formats/import.js";
import { loadPicture } from "#src/images/picture.js";
import { networkByName } from "#src/network/networks.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { temporaryFolder } from "../support/folders.js";
import { centredLogits, noisePicture, predictCentre, randomModel, worstDifference } from "../support/models.js";

/** A Python that has them all; ALEXNET_PYTHON names another than python3. */
const python = process.env.ALEXNET_PYTHON ?? "python3";
const probe = spawnSync(python, ["-c", "import torch, torchvision, safetensors, onnx, onnxruntime"], {
  encoding: "utf8",
});
const engine = await openEngine("onednn").catch((error: Error) => error.message);
const missing =
  probe.status !== 0
    ? `${python} has not all of torch, torchvision, safetensors, onnx and onnxruntime; ALEXNET_PYTHON may name one that has`
    : typeof engine === "string"
      ? engine
      : undefined;

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
let pictures: readonly Uint8Array[] = [];

beforeAll(async () => {
  const photos = new URL("../../../shared/data/photos", import.meta.url).pathname;
  const files = existsSync(photos) ? readdirSync(photos).sort().slice(0, 5) : [];
  pictures =
    files.length > 0
      ? await Promise.all(files.map((file) => loadPicture(join(photos, file))))
      : [1, 2, 3].map((seed) => noisePicture(seed));
  writeFileSync(at("pictures.bin"), Buffer.concat(pictures));
});
afterAll(async () => {
  if (typeof engine !== "string") await engine.close();
});

function check(what: "write" | "state-dict" | "onnx", file: string): Float32Array {
  const script = new URL("python/check.py", import.meta.url).pathname;
  const { status, stderr } = spawnSync(python, [script, what, file, at("pictures.bin"), at("out.bin")], {
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  return new Float32Array(Uint8Array.from(readFileSync(at("out.bin"))).buffer);
}

function rows(values: Float32Array): number[][] {
  const length = values.length / pictures.length;
  return pictures.map((_, i) => [...values.subarray(i * length, (i + 1) * length)]);
}

const centred = (values: readonly number[]): number[] => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.map((value) => value - mean);
};

describe.skipIf(missing !== undefined)(
  `beside PyTorch and ONNX${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    it("a torchvision alexnet gives PyTorch's logits, and goes back to it unchanged", async () => {
      if (typeof engine === "string") return;
      const theirs = rows(check("write", at("torchvision.pth"))).map(centred);
      const { model } = await importModel(at("torchvision.pth"));
      const ours = rows(await predictCentre(engine, model, pictures)).map(centredLogits);
      expect(worstDifference(ours.flat(), theirs.flat())).toBeLessThan(1e-4);
      expect(worstDifference(ours[0] ?? [], ours[1] ?? [])).toBeGreaterThan(1e-3);

      for (const [format, name] of [
        ["pytorch", "ours.pth"],
        ["safetensors", "ours.safetensors"],
      ] as const) {
        await exportModel(model, at(name), { format });
        const again = rows(check("state-dict", at(name))).map(centred);
        expect(worstDifference(again.flat(), theirs.flat())).toBeLessThan(1e-6);
      }
    }, 300_000);

    it.each(["paper", "original-2012", "caffenet", "one-weird-trick"])(
      "%s as ONNX passes the checker, and agrees",
      async (name) => {
        if (typeof engine === "string") return;
        const model = randomModel(withClasses(scaleWidth(networkByName(name), 0.25), 20), 9);
        const expected = await predictCentre(engine, model, pictures);
        for (const [float16, tolerance] of [
          [false, 1e-5],
          [true, 5e-3],
        ] as const) {
          const path = at(`${name}-${float16}.onnx`);
          await exportModel(model, path, { format: "onnx", withPreprocessing: true, float16 });
          expect(worstDifference(check("onnx", path), expected)).toBeLessThan(tolerance);
        }
      },
      180_000,
    );
  },
);
