import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { sharp } from "#src/images/sharp.js";
import { networkByName } from "#src/network/networks.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { recipes } from "#src/recipes/recipes.js";
import { readModel } from "#src/runs/checkpoint/read.js";
import { encodeCaffemodel, encodeMean } from "../support/caffe-files.js";
import { alexnet } from "../support/command-line.js";
import { temporaryFolder } from "../support/folders.js";
import { expectSameModel, formulaPicture, randomModel, softmax } from "../support/models.js";

const fixture = (name: string): string => new URL(`../formats/fixtures/${name}`, import.meta.url).pathname;
const folder = temporaryFolder();
const at = (...names: readonly string[]): string => join(folder, ...names);
const imported = (run: string) => readModel(at(run, "checkpoints", "best.safetensors"));

beforeAll(async () => {
  const raw = { width: 256, height: 256, channels: 3 } as const;
  await sharp(formulaPicture(), { raw }).png().toFile(at("picture.png"));
  writeFileSync(at("names.txt"), "ant\nbee\ncat\ndog\nelk\n");
});

describe("alexnet import", () => {
  it("makes a run that classifies as PyTorch does", () => {
    const { status, stdout, stderr } = alexnet(
      "import",
      fixture("state-dict.pth"),
      "--out",
      at("torch"),
      "--classes",
      at("names.txt"),
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/torch: one-weird-trick, [\d,]+ parameters, 5 classes \(pytorch\)/);
    expect(stdout).toContain("assumed: pixels are preprocessed as torchvision does");
    expect(JSON.parse(readFileSync(at("torch", "imported.json"), "utf8"))).toMatchObject({ format: "pytorch" });

    const classified = alexnet("classify", at("torch"), at("picture.png"), "--engine", "reference", "--json");
    expect(classified.stderr).toBe("");
    const [{ predictions }] = JSON.parse(classified.stdout);
    const { logits } = JSON.parse(readFileSync(fixture("expected.json"), "utf8"));
    const expected = softmax(logits);
    const names = ["ant", "bee", "cat", "dog", "elk"];
    for (const { class: name, probability } of predictions)
      expect(probability).toBeCloseTo(expected[names.indexOf(name)] ?? Number.NaN, 6);
    expect(predictions).toHaveLength(5);
  });

  it("replaces nothing unless asked to, and never a training run", () => {
    const again = (...more: readonly string[]) => alexnet("import", fixture("half.pth"), "--out", at("torch"), ...more);
    expect(again()).toMatchObject({ status: 1, stderr: expect.stringMatching(/is not empty .*--force/) });
    expect(again("--force").status).toBe(0);
    expect(alexnet("import", fixture("half.pth"), "--out", folder, "--force")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/is not empty .*choose another folder \(--out\)/),
    });
    expect(alexnet("train", "--resume", at("torch"))).toMatchObject({
      stderr: expect.stringMatching(/no training run/),
    });
  });

  it("takes Caffe's files and what they don't say", () => {
    const model = randomModel(withClasses(scaleWidth(networkByName("caffenet"), 0.03), 5), 4);
    writeFileSync(at("net.caffemodel"), encodeCaffemodel(model, "layers of 2013"));
    writeFileSync(at("mean.binaryproto"), encodeMean(model.preprocessing.mean));
    const say = (...more: readonly string[]) => alexnet("import", at("net.caffemodel"), "--out", at("caffe"), ...more);
    expect(say()).toMatchObject({ status: 1, stderr: expect.stringMatching(/\(--mean\)/) });
    expect(existsSync(at("caffe"))).toBe(false);
    const scale = "0.017,0.018,0.019";
    const { status } = say("--mean", at("mean.binaryproto"), "--scale", scale, "--classes", at("names.txt"));
    expect(status).toBe(0);
    const { mean } = model.preprocessing;
    expectSameModel(imported("caffe"), {
      ...model,
      classes: ["ant", "bee", "cat", "dog", "elk"],
      preprocessing: { mean, scale: [0.017, 0.018, 0.019] },
    });
  });

  it("refuses what is no data", () => {
    const { status, stderr } = alexnet("import", fixture("evil.pth"), "--out", at("evil"));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^alexnet: .*evil.pth: holds no state dict .features.0.weight is an object of posix.system/);
    expect(existsSync(at("evil"))).toBe(false);
    expect(alexnet("import", fixture("half.pth"), "--out", at("x"), "--scale", "a").status).toBe(2);
  });
});

describe("alexnet export", () => {
  it.each(["model.onnx", "model.safetensors", "model.pth"])("to %s and back is exact", (name) => {
    const exported = alexnet("export", at("caffe"), "--out", at(name));
    expect(exported).toMatchObject({ status: 0, stderr: "" });
    expect(exported.stdout).toMatch(/model\.\w+: (onnx|safetensors|pytorch), [\d.]+ [kM]?B/);
    const run = `back-${name}`;
    expect(alexnet("import", at(name), "--out", at(run))).toMatchObject({ status: 0, stderr: "" });
    expectSameModel(imported(run), imported("caffe"));
    expect(alexnet("export", at("caffe"), "--out", at(name))).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/is there already; replace it \(--force\)/),
    });
    expect(alexnet("export", at("caffe"), "--out", at(name), "--force").status).toBe(0);
  });

  it("needs to know the format, and options that suit it", () => {
    expect(alexnet("export", at("caffe"), "--out", at("model.bin"))).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/its ending says no format; give --format: onnx, safetensors, pytorch/),
    });
    expect(alexnet("export", at("caffe"), "--out", at("model.bin"), "--format", "pytorch").status).toBe(0);
    expect(alexnet("export", at("caffe"), "--out", at("half.pth"), "--float16")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/are for ONNX/),
    });
    expect(alexnet("export", at("none"), "--out", at("x.onnx")).status).toBe(1);
  });
});

describe("alexnet networks", () => {
  it("shows the variants side by side", () => {
    const { stdout } = alexnet("networks");
    expect(stdout).toMatch(/^original-2012 +227x227 +23 +60,965,224 +1\.449$/m);
    expect(stdout).toMatch(/^caffenet +as caffe, but pools before it norms$/m);
    const rows = JSON.parse(alexnet("networks", "--json").stdout);
    expect(rows[4]).toMatchObject({ name: "one-weird-trick", layers: 20, parameters: 61_100_840 });
  });

  it("prints one as JSON to begin from, and so does alexnet recipes", () => {
    expect(JSON.parse(alexnet("networks", "paper").stdout)).toEqual(networkByName("paper"));
    expect(JSON.parse(alexnet("recipes", "small", "--json").stdout)).toEqual(recipes.small);
    expect(alexnet("recipes").stdout).toMatch(/^paper +90 +128 +0\.01, divided by 10 after 5 epochs/m);
    expect(alexnet("recipes", "none").stderr).toContain("no recipe is named none; there are: paper, small");
  });
});
