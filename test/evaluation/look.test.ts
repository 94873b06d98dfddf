import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openEngine } from "#src/engine/host/open.js";
import { LoadedModel } from "#src/evaluation/loaded-model.js";
import { look } from "#src/evaluation/look.js";
import { occlude } from "#src/evaluation/occlusion.js";
import { compileModel } from "#src/evaluation/program-cache.js";
import { saliencyMap } from "#src/evaluation/saliency.js";
import { loadPicture } from "#src/images/picture.js";
import { sharp } from "#src/images/sharp.js";
import { centreView } from "#src/store/views.js";
import { taskOf } from "#src/task.js";
import { alexnetIn } from "../support/command-line.js";
import { temporaryFolder } from "../support/folders.js";
import { quick, trainedSet } from "../support/trained-runs.js";
import { exampleCheckpoint } from "../support/training.js";

const { run, path, scratch } = trainedSet();
const picture = join(path, "val", "lake", "1.png");

const STEP = 4; // pixel values: so far that float32 probabilities tell the difference

/** A picture of noise, and a network that reacts to it. */
async function example(): Promise<{ open: LoadedModel; noise: Uint8Array }> {
  const engine = await openEngine("reference");
  const { model } = exampleCheckpoint(3);
  const { parameters, ...rest } = model;
  const preprocessing = { ...rest.preprocessing, scale: [1, 1, 1] as const };
  const small = { ...rest, preprocessing, parameters: parameters.map((value) => value * 0.05) };
  const noise = Uint8Array.from({ length: 256 * 256 * 3 }, (_, i) => 64 + ((i * 2654435761) >>> 25));
  return { open: new LoadedModel({ path: "", model: small, engine, verify: async () => {} }), noise };
}

describe("saliency", () => {
  it("is the gradient of the class's logit less the mean of all", async () => {
    const { open, noise } = await example();
    const target = 1;
    const map = await saliencyMap(open, noise, target);
    expect(map).toHaveLength(67 * 67);
    const program = await compileModel(open.engine, open.model, 1);
    const view = centreView({ pictureSize: 256, cropSize: 67 });
    const score = async (pixels: Uint8Array): Promise<number> => {
      const outputs = await program.predict({ pictures: pixels, views: [view], labels: Int32Array.of(0) });
      const logits = Array.from(outputs, Math.log);
      return logits[target] - logits.reduce((sum, value) => sum + value, 0) / logits.length;
    };
    const largest = map.reduce((best, value, i) => (value > map[best] ? i : best), 0);
    const [row, column] = [Math.floor(largest / 67), largest % 67];
    const differences: number[] = [];
    for (let channel = 0; channel < 3; channel++) {
      const at = ((view.top + row) * 256 + view.left + column) * 3 + channel;
      const [up, down] = [noise.slice(), noise.slice()];
      up[at] += STEP;
      down[at] -= STEP;
      differences.push(((await score(up)) - (await score(down))) / (2 * STEP));
    }
    const constant = map[largest] / Math.max(...differences.map(Math.abs));
    expect(constant).toBeGreaterThan(0.97);
    expect(constant).toBeLessThan(1.03);
    await open.close();
  });
});

describe("occlusion", () => {
  it("covers the whole crop and says what each hidden place costs", async () => {
    const { open, noise } = await example();
    const { probability, places, drops } = await occlude(open, noise, 0, { size: 20, step: 15 }, taskOf({}));
    expect(places).toHaveLength(25); // 0, 15, 30, 45 and 47 both ways
    const { top, left } = centreView({ pictureSize: 256, cropSize: 67 });
    expect(places.at(-1)).toMatchObject({ top: top + 47, left: left + 47, size: 20 });
    expect(drops.every(Number.isFinite)).toBe(true);
    expect(drops[0]).toBeCloseTo(probability - places[0].probability, 6);
    expect(new Set(places.map((place) => place.probability)).size).toBeGreaterThan(1);
    await open.close();
  });

  it("of a square that leaves gaps is refused", async () => {
    const { open, noise } = await example();
    await expect(occlude(open, noise, 0, { size: 10, step: 11 }, taskOf({}))).rejects.toThrow(/leaves parts of 67 out/);
    await expect(occlude(open, noise, 0, { size: 68, step: 11 }, taskOf({}))).rejects.toThrow(
      /a square up to the crop's size/,
    );
    await open.close();
  });
});

describe("look", () => {
  it("draws every layer, and what the answer hangs on", async () => {
    const out = join(scratch, "look");
    const result = await look({ run, picture, out, occlusion: { size: 20, step: 20 }, ...quick });
    expect(result.files).toEqual([
      "crop.png",
      "activations/01-conv1.png",
      "activations/02-relu1.png",
      "activations/03-pool1.png",
      "activations/04-fc2.png",
      "activations/05-relu2.png",
      "activations/06-fc3.png",
      "occlusion.png",
      "saliency.png",
      "look.json",
      "index.html",
    ]);
    expect(readdirSync(join(out, "activations"))).toHaveLength(6);
    expect(JSON.parse(readFileSync(join(out, "look.json"), "utf8"))).toEqual(result);
    expect(result.class).toBe(result.predictions[0].class);
    expect(result.probability).toBeCloseTo(result.predictions[0].probability, 5);
    const size = async (name: string): Promise<readonly number[]> => {
      const { width, height } = await sharp(join(out, name)).metadata();
      return [width, height];
    };
    expect(await size("crop.png")).toEqual([67, 67]);
    expect(await size("saliency.png")).toEqual([2 * (2 * 67 + 4), 2 * 67]);
    const crop = await sharp(join(out, "crop.png")).raw().toBuffer();
    const whole = await loadPicture(picture);
    expect([...crop.subarray(0, 3)]).toEqual([...whole.subarray((94 * 256 + 94) * 3, (94 * 256 + 94) * 3 + 3)]);
  });

  it("writes a page that shows every drawing, labelled, with the classes by name", async () => {
    const out = join(scratch, "page");
    const { files, predictions } = await look({ run, picture, out, occlusion: { size: 20, step: 20 }, ...quick });
    const page = readFileSync(join(out, "index.html"), "utf8");
    for (const file of files.filter((name) => name.endsWith(".png"))) expect(page).toContain(`src="${file}"`);
    for (const { class: name } of predictions) expect(page).toContain(name);
    expect(page).toMatch(/<section id="conv1">.*?convolution:<\/span> 4 feature maps of 8 by 8; values from/s);
    expect(page).toMatch(/<section id="fc3">.*?3 classes, before softmax/s);
    expect(page).not.toContain("undefined");
  });

  it("never writes over another look unless told to, and then leaves nothing of it", async () => {
    const out = join(scratch, "twice");
    mkdirSync(join(out, "activations"), { recursive: true });
    writeFileSync(join(out, "activations", "99-other.png"), "");
    const options = { run, picture, out, occlusion: { size: 20, step: 20 }, ...quick };
    await expect(look(options)).rejects.toMatchObject({
      code: "already-exists",
      hints: [{ option: "out" }, { option: "force", value: true }],
    });
    await look({ ...options, force: true });
    expect(readdirSync(join(out, "activations"))).not.toContain("99-other.png");
  });

  it("goes by default into a folder of its own for each run and picture, though cameras' names come again", () => {
    const pictures = ["apple", "lake", "lake"].map((name) => join(path, "val", name, "1.png"));
    const words = ["--square", "20", "--step", "20", "--engine", "onednn", "--threads", "1"];
    const folder = temporaryFolder();
    for (const one of pictures) expect(alexnetIn(folder, "look", run, one, ...words).status).toBe(0);
    expect(readdirSync(join(folder, "look", "run")).sort()).toEqual(["apple-1", "lake-1", "lake-1-2"]);
  });

  it.each([
    ["cloud", "its classes are apple, lake, meadow"],
    ["LAK", "did you mean lake?"],
    ["aple", "did you mean apple?"],
  ])("at a class that isn't there, %s, is refused with those that are", async (name, answer) => {
    const wrong = look({ run, picture, out: join(scratch, "no"), class: name, ...quick });
    await expect(wrong).rejects.toThrow(`${name}: the network knows no such class; ${answer}`);
  });
});
