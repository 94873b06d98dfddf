import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { exportModel } from "#src/formats/export.js";
import { importModel } from "#src/formats/import.js";
import { openPytorch } from "#src/formats/pytorch/pytorch.js";
import { readSafetensors } from "#src/formats/safetensors.js";
import { networkByName } from "#src/network/networks.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { encodeHalf } from "#src/system/half.js";
import { temporaryFolder } from "../support/folders.js";
import {
  centredLogits,
  expectSameModel,
  formulaPicture,
  predictCentre,
  randomModel,
  worstDifference,
} from "../support/models.js";

const fixture = (name: string): string => new URL(`fixtures/${name}`, import.meta.url).pathname;
const expected: { logits: number[]; conv1: number[] } = JSON.parse(readFileSync(fixture("expected.json"), "utf8"));
const folder = temporaryFolder();

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine("reference");
});
afterAll(async () => {
  await engine.close();
});

async function logitsOf(path: string): Promise<number[]> {
  const { model } = await importModel(path);
  return centredLogits(await predictCentre(engine, model, [formulaPicture()]));
}

function centred(logits: readonly number[]): number[] {
  const mean = logits.reduce((a, b) => a + b, 0) / logits.length;
  return logits.map((value) => value - mean);
}

describe("files that PyTorch wrote", () => {
  it.each([
    "state-dict.pth",
    "legacy.pth",
    "protocol-4.pth",
    "parameters.pth",
    "checkpoint.pth",
    "views.pth",
    "state-dict.safetensors",
  ])("%s gives PyTorch's logits", async (name) => {
    expect(worstDifference(await logitsOf(fixture(name)), centred(expected.logits))).toBeLessThan(1e-6);
  });

  it.each([
    ["half.pth", 2e-3],
    ["bfloat16.pth", 2e-2],
  ])("%s gives nearly PyTorch's logits", async (name, tolerance) => {
    expect(worstDifference(await logitsOf(fixture(name)), centred(expected.logits))).toBeLessThan(tolerance);
  });

  it("of halves in safetensors give nearly PyTorch's logits", async () => {
    const { tensors } = readSafetensors(fixture("state-dict.safetensors"));
    const header: Record<string, object> = {};
    const parts: Buffer[] = [];
    let at = 0;
    for (const [name, { shape, data }] of tensors) {
      const halves = Uint16Array.from(data as Float32Array, encodeHalf);
      header[name] = { dtype: "F16", shape, data_offsets: [at, at + halves.byteLength] };
      parts.push(Buffer.from(halves.buffer));
      at += halves.byteLength;
    }
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    const path = join(folder, "half.safetensors");
    writeFileSync(path, Buffer.concat([length, text, ...parts]));
    expect(worstDifference(await logitsOf(path), centred(expected.logits))).toBeLessThan(2e-3);
  });

  it("say which network, how wide, how preprocessed, and what was assumed", async () => {
    const { model, format, assumptions } = await importModel(fixture("state-dict.pth"));
    expect(format).toBe("pytorch");
    expect(model.network.name).toBe("one-weird-trick");
    expect(model.network.layers.flatMap((l) => (l.kind === "convolution" ? l.filters : []))).toEqual([4, 6, 8, 6, 4]);
    expect(model.preprocessing.mean.subarray(0, 3)).toEqual(Float32Array.of(0.485 * 255, 0.456 * 255, 0.406 * 255));
    expect(model.preprocessing.scale[0]).toBeCloseTo(1 / (255 * 0.229), 12);
    expect(model.classes).toEqual(["class 0", "class 1", "class 2", "class 3", "class 4"]);
    expect(assumptions).toEqual([
      { assumed: expect.stringContaining("what one-weird-trick does"), option: "network" },
      { assumed: expect.stringContaining("as torchvision does"), option: "mean" },
      { assumed: "its 5 classes have no names", option: "classes" },
    ]);
    expect([...model.parameters.subarray(0, 4)]).toEqual(expected.conv1.map(Math.fround));
  });

  it("take what options say instead", async () => {
    const classes = ["a", "b", "c", "d", "e"];
    const mean = new Float32Array(256 * 256 * 3).fill(7);
    const { model, assumptions } = await importModel(fixture("state-dict.pth"), { classes, mean, scale: [1, 2, 3] });
    expect(model.classes).toEqual(classes);
    expect(model.preprocessing.mean).toBe(mean);
    expect(model.preprocessing.scale).toEqual([1, 2, 3]);
    expect(assumptions.map(({ option }) => option)).toEqual(["network"]);
    await expect(importModel(fixture("state-dict.pth"), { classes: ["a"] })).rejects.toThrow(
      /state-dict.pth: 1 class names for a network of 5 outputs/,
    );
    await expect(importModel(fixture("state-dict.pth"), { network: networkByName("paper") })).rejects.toThrow(
      /features.3.weight is 6x4x5x5; paper needs 6x2x5x5 there/,
    );
  });
});

describe("files that are more than data", () => {
  it.each([
    [
      "evil.pth",
      "evil.pth: holds no state dict (features.0.weight is an object of posix.system); save model.state_dict()",
    ],
    ["evil.pkl.pth", "is no file of torch.save"],
    ["evil-protocol-0.pth", "operation 0x70 is not read"],
    ["module.pth", "holds an object of torch.nn.modules.conv.Conv2d; only tensors and plain containers are read"],
  ])("%s is refused, and nothing that it names is called", async (name, message) => {
    await expect(importModel(fixture(name))).rejects.toThrow(message);
    await expect(importModel(fixture(name))).rejects.toMatchObject({
      code: expect.stringMatching(/^(unsupported|damaged-file)$/),
    });
    expect(existsSync("alexnet-was-here")).toBe(false);
  });
});

describe("files that this project wrote", () => {
  it.each(["paper", "original-2012", "caffenet", "one-weird-trick"])("%s comes back exactly", async (name) => {
    const model = randomModel(withClasses(scaleWidth(networkByName(name), 0.05), 6), 3);
    const path = join(folder, `${name}.pth`);
    const bytes = await exportModel(model, path, { format: "pytorch" });
    expect(readFileSync(path)).toHaveLength(bytes);
    const { model: again, assumptions } = await importModel(path);
    expectSameModel(again, model);
    expect(assumptions).toEqual([]);
  });

  it("have torchvision's names where the network is its own", async () => {
    const model = randomModel(withClasses(scaleWidth(networkByName("one-weird-trick"), 0.05), 6), 3);
    const path = join(folder, "names.pth");
    await exportModel(model, path, { format: "pytorch" });
    const dict = await openPytorch(path);
    expect([...dict.tensors.keys()]).toEqual([
      ...[0, 3, 6, 8, 10].flatMap((i) => [`features.${i}.weight`, `features.${i}.bias`]),
      ...[1, 4, 6].flatMap((i) => [`classifier.${i}.weight`, `classifier.${i}.bias`]),
    ]);
    dict.close();
  });

  it("are the same bytes each time, and never overwritten unless asked to", async () => {
    const model = randomModel(withClasses(scaleWidth(networkByName("caffe"), 0.02), 3), 4);
    const path = join(folder, "same.pth");
    await exportModel(model, path, { format: "pytorch" });
    const first = readFileSync(path);
    await expect(exportModel(model, path, { format: "pytorch" })).rejects.toThrow(
      /is there already; replace it \(force: true\)/,
    );
    await exportModel(model, path, { format: "pytorch", force: true });
    expect(readFileSync(path).equals(first)).toBe(true);
  });
});

describe("damaged files", () => {
  it("say what is damaged", async () => {
    const whole = readFileSync(fixture("state-dict.pth"));
    const at = whole.indexOf(Buffer.from(Float32Array.of(expected.conv1[0]).buffer));
    const flipped = Buffer.from(whole);
    flipped[at] ^= 1;
    const path = join(folder, "damaged.pth");
    writeFileSync(path, flipped);
    await expect(importModel(path)).rejects.toThrow(/damaged.pth: .*data\/0 is damaged: its checksum/);
    writeFileSync(path, whole.subarray(0, 9000));
    await expect(importModel(path)).rejects.toThrow(/damaged.pth: not a whole ZIP archive/);
    writeFileSync(path, readFileSync(fixture("legacy.pth")).subarray(0, 9000));
    await expect(importModel(path)).rejects.toThrow(/damaged.pth: has not all of storage/);
    writeFileSync(path, "");
    await expect(importModel(path)).rejects.toThrow(/damaged.pth: its first pickle: ended at byte 0/);
    await expect(importModel(join(folder, "none.pth"))).rejects.toThrow(/none.pth: can't be read/);
    await expect(importModel(folder)).rejects.toThrow(/is no file/);
    const odd = join(folder, "odd.txt");
    writeFileSync(odd, "hello, this is text");
    await expect(importModel(odd)).rejects.toThrow(/odd.txt: of no known kind; there are .pt, .pth/);
  });
});
