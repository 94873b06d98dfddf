import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import threads from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import type { Engine } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { type Classification, classify, type Prediction } from "#src/evaluation/classify.js";
import { evaluate } from "#src/evaluation/evaluate.js";
import { LoadedModel } from "#src/evaluation/loaded-model.js";
import { type OpenModel, openModel } from "#src/evaluation/open-model.js";
import { PictureBatcher } from "#src/evaluation/picture-batcher.js";
import type { PictureSource } from "#src/evaluation/picture-source.js";
import { readSafetensors } from "#src/formats/safetensors.js";
import { loadPicture } from "#src/images/picture.js";
import { recipes } from "#src/recipes/recipes.js";
import { train } from "#src/training/train.js";
import { quick, trainedSet } from "../support/trained-runs.js";
import { exampleCheckpoint, tinyNetwork } from "../support/training.js";

const { run, path, scratch } = trainedSet();
const picture = (name: string, i = 0): string => join(path, "val", name, `${i}.png`);

let opened: OpenModel[] = [];
afterEach(async () => {
  await Promise.all(opened.map((model) => model.close()));
  opened = [];
});

async function open(): Promise<OpenModel> {
  const model = await openModel(run, quick);
  opened.push(model);
  return model;
}

async function rowsOf(rows: AsyncIterable<Classification>): Promise<Classification[]> {
  const all: Classification[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

/** The same classes in the same order, probabilities as near as batches of different sizes leave them. */
function expectSamePredictions(actual: readonly Prediction[], expected: readonly Prediction[]): void {
  expect(actual).toEqual(
    expected.map((row) => ({ class: row.class, probability: expect.closeTo(row.probability, 5) })),
  );
}

describe("a picture in memory or in a file", () => {
  it("is classified alike as path, URL, Buffer, bytes, ArrayBuffer, Blob and File", async () => {
    const model = await open();
    const file = picture("apple");
    const bytes = readFileSync(file);
    const { buffer } = Uint8Array.from(bytes);
    const [expected = []] = await model.classify([file]);
    expect(expected).toHaveLength(3);
    expect(expected.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    const forms: readonly PictureSource[] = [
      file,
      pathToFileURL(file),
      pathToFileURL(file).href,
      bytes,
      new Uint8Array(buffer),
      buffer,
      new Blob([bytes]),
      new File([bytes], "apple.png"),
    ];
    for (const form of forms) expectSamePredictions(await model.classify(form), expected);
    const together = await model.classify(forms);
    expect(together).toHaveLength(forms.length);
    for (const predictions of together) expectSamePredictions(predictions, expected);
    expect(await model.classify([])).toEqual([]);
  });

  it("that can't be read is an error naming its path or place", async () => {
    const model = await open();
    const text = new TextEncoder().encode("no picture");
    const broken = join(scratch, "broken.png");
    writeFileSync(broken, text);
    for (const [given, message] of [
      [[picture("apple"), text], "pictures[1]: not a picture: text"],
      [[broken], `${broken}: not a picture: text`],
      [[new Uint8Array()], "pictures[0]: empty file"],
      [[new Blob([text])], "pictures[0]: not a picture: text"],
    ] as const)
      await expect(model.classify(given)).rejects.toMatchObject({ code: "unreadable-picture", message });
    await expect(model.classify(text)).rejects.toThrow("picture: not a picture: text");
    await expect(model.classify(path)).rejects.toThrow(/a folder, not a picture/);
    await expect(model.classify(join(scratch, "none.png"))).rejects.toMatchObject({ code: "unreadable-picture" });
  });

  it("of any other kind is refused by what it is", async () => {
    const model = await open();
    for (const [given, message] of [
      ["https://example.com/cat.jpg", /https:\/\/example.com\/cat.jpg: only file: URLs are read/],
      [new URL("data:image/png;base64,AA=="), /only file: URLs are read/],
      [new URL("file://elsewhere/cat.jpg"), /names no file of this machine/],
      [5, /picture: a value of type number is no picture/],
      [null, /picture: null is no picture/],
      [undefined, /picture: a value of type undefined is no picture/],
    ] as const)
      await expect(model.classify(given as PictureSource)).rejects.toMatchObject({
        code: "invalid-option",
        message: expect.stringMatching(message),
      });
  });
});

describe("options of a call", () => {
  it("are checked, each by its name", async () => {
    const model = await open();
    const call = (options: object) => model.classify(picture("apple"), options);
    await expect(call({ top: 0 })).rejects.toMatchObject({ code: "invalid-option", hints: [{ option: "top" }] });
    await expect(call({ views: 7 })).rejects.toThrow(/7 views: give 1, 2, 5, 10/);
    await expect(call({ tops: 2 })).rejects.toThrow(/did you mean top\?/);
    await expect(openModel(run, { threads: -1 })).rejects.toMatchObject({ hints: [{ option: "threads" }] });
    await expect(openModel(join(scratch, "none"), quick)).rejects.toMatchObject({ code: "not-found" });
  });

  it("say how many classes and views", async () => {
    const model = await open();
    const [best, ...more] = await model.classify(picture("lake"), { top: 1, views: 10 });
    expect(more).toEqual([]);
    const [row] = await rowsOf(classify({ run, pictures: [picture("lake")], top: 1, views: 10, ...quick }));
    expect(row).toMatchObject({ predictions: [{ class: best?.class }] });
  });
});

describe("classifying many", () => {
  it("gives a row each in their order, errors among them, from files and memory alike", async () => {
    const model = await open();
    const none = join(scratch, "none.png");
    const rows = await rowsOf(
      model.classifyAll([picture("apple"), none, readFileSync(picture("lake")), new Uint8Array(3), join(path, "val")]),
    );
    expect(rows).toHaveLength(4 + 15);
    expect(rows.map(({ file }) => file).slice(0, 5)).toEqual([
      picture("apple"),
      none,
      "pictures[2]",
      "pictures[3]",
      picture("apple"),
    ]);
    expect(rows[1]).toEqual({ file: none, error: expect.stringContaining(none) });
    expect(rows[3]).toEqual({ file: "pictures[3]", error: expect.stringMatching(/^pictures\[3\]: /) });
    const [first, , third] = rows;
    if (first === undefined || third === undefined || "error" in first || "error" in third) throw new Error("no rows");
    expectSamePredictions(first.predictions, await model.classify(picture("apple")));
    expectSamePredictions(third.predictions, await model.classify(picture("lake")));
  });

  it("ends when the signal is given, and leaves the model usable", async () => {
    const model = await open();
    const stop = new AbortController();
    const rows = model.classifyAll([path], { views: 18, signal: stop.signal }); // 7 pictures a batch
    await rows.next();
    stop.abort();
    await expect(rowsOf(rows)).rejects.toMatchObject({ code: "interrupted" });
    await expect(model.classify(picture("apple"), { signal: stop.signal })).rejects.toMatchObject({
      code: "interrupted",
    });
    expect(await model.classify(picture("apple"))).toHaveLength(3);
  });
});

describe("several calls at a time", () => {
  it("give what they give one by one", async () => {
    const model = await open();
    const files = ["apple", "lake", "meadow"].flatMap((name) => [0, 1, 2, 3, 4].map((i) => picture(name, i)));
    const single: (readonly Prediction[])[] = [];
    for (const file of files) single.push(await model.classify(file));
    const all = [...files, ...files, ...files];
    const together = await Promise.all(all.map((file, i) => model.classify(file, { views: i % 2 === 0 ? 1 : 10 })));
    expect(new Set(single.map(([best]) => best?.probability)).size).toBeGreaterThan(3);
    for (const [i, predictions] of together.entries())
      if (i % 2 === 0) expectSamePredictions(predictions, single[i % files.length] ?? []);
      else expectSamePredictions(predictions, await model.classify(all[i] ?? "", { views: 10 }));
    const others = await Promise.all([
      model.features(picture("lake")),
      model.features(picture("apple")),
      model.classify(picture("apple")),
      model.features(picture("lake")),
    ]);
    expect(others[0]).toEqual(others[3]);
    expect(others[0]).not.toEqual(others[1]);
  });

  it("are predicted together, by few programs", async () => {
    const engine = await openEngine("reference");
    const batches: number[] = [];
    const compiled: number[] = [];
    const counting: Engine = {
      ...engine,
      async compile(network, options) {
        compiled.push(options.batchSize);
        const program = await engine.compile(network, options);
        return {
          ...program,
          predict: (batch) => {
            batches.push(batch.views.length);
            return program.predict(batch);
          },
        };
      },
    };
    const { model } = exampleCheckpoint(3);
    const loaded = new LoadedModel({ path: "", model, engine: counting, verify: async () => {} });
    const batcher = new PictureBatcher(loaded);
    const pixels = await loadPicture(picture("apple"));
    const { signal } = new AbortController();
    const first = batcher.predict(pixels, 1, signal);
    await Promise.resolve(); // it is under way when the others come
    const rest = Array.from({ length: 20 }, () => batcher.predict(pixels, 1, signal));
    const answers = await Promise.all([first, ...rest]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(batches.reduce((sum, views) => sum + views, 0)).toBe(21);
    expect(batches.length).toBeLessThanOrEqual(2);
    for (let i = 0; i < 5; i++) await batcher.predict(pixels, 1, signal);
    expect(batches.slice(-5)).toEqual([1, 1, 1, 1, 1]);
    expect(compiled.length).toBeLessThanOrEqual(3);
    await loaded.close();
  });
});

describe("a thousand calls", () => {
  it("take one engine's thread and no more memory than a hundred", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { Worker } = threads;
    let started = 0;
    threads.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        started++;
      }
    };
    syncBuiltinESMExports();
    try {
      const model = await open();
      expect(started).toBe(1);
      const bytes = readFileSync(picture("meadow"));
      const held = async (calls: number): Promise<NodeJS.MemoryUsage> => {
        for (let i = 0; i < calls; i++) await model.classify(bytes);
        collect();
        return process.memoryUsage();
      };
      const before = await held(100);
      const after = await held(900);
      expect(started).toBe(1);
      expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(60e6); // pictures of 900 calls take 177 MB
      expect(after.rss - before.rss).toBeLessThan(80e6);
    } finally {
      threads.Worker = Worker;
      syncBuiltinESMExports();
    }
  }, 120_000);
});

describe("closing", () => {
  it("waits for the calls under way; later ones are refused", async () => {
    const model = await open();
    const underWay = [model.classify(picture("apple")), model.classify(picture("lake")), model.features(path, {})];
    underWay[2]?.catch(() => {});
    let finished = 0;
    for (const call of underWay) call.then(() => finished++).catch(() => finished++);
    await model.close();
    expect(finished).toBe(3);
    await expect(model.classify(picture("apple"))).rejects.toMatchObject({
      code: "closed",
      message: expect.stringContaining("this model is closed; open it again"),
    });
    await expect(model.evaluate()).rejects.toMatchObject({ code: "closed" });
    await expect(model.features(picture("apple"))).rejects.toMatchObject({ code: "closed" });
    await expect(rowsOf(model.classifyAll([path]))).rejects.toMatchObject({ code: "closed" });
    await model.close();
    await model[Symbol.asyncDispose]();
  });

  it("ends a list that is being classified at its next batch, and isn't held up by one that nobody reads on", async () => {
    const model = await open();
    const read = model.classifyAll([path], { views: 18 });
    const left = model.classifyAll([path], { views: 18, workers: 2 });
    await read.next();
    await left.next();
    await model[Symbol.asyncDispose]();
    await expect(rowsOf(read)).rejects.toMatchObject({ code: "closed" });
  });
});

describe("an open model", () => {
  it("is what training returns, once it is asked for", async () => {
    const options = { network: tinyNetwork, recipe: { ...recipes.small, name: "quick", epochs: 1, batchSize: 8 } };
    const result = await train({ data: path, run: join(scratch, "returned"), ...options, ...quick });
    expect(JSON.parse(JSON.stringify(result))).toMatchObject({ run: join(scratch, "returned"), epochs: 1 });
    const model = await result.openModel(quick);
    opened.push(model);
    expect(model.classes).toEqual(["apple", "lake", "meadow"]);
    expect(model.path).toContain(join(scratch, "returned"));
    expect(await model.classify(picture("apple"))).toHaveLength(3);
  });

  it("says what it is, and is a model to export", async () => {
    const model = await open();
    expect(model.classes).toEqual(["apple", "lake", "meadow"]);
    expect(model.network.name).toBe("tiny");
    expect(model.path).toMatch(/checkpoints/);
    expect(model.engine).toMatchObject({ engine: "onednn", threads: 1 });
    expect(model.parameters.length).toBeGreaterThan(1000);
    expect(model.preprocessing.scale).toHaveLength(3);
  });

  it("evaluates as the function does, more than once, and tells what happens", async () => {
    const model = await open();
    const kinds = new Set<string>();
    const own = await model.evaluate({ views: 10, onEvent: ({ kind }) => kinds.add(kind) });
    expect(own).toMatchObject({ samples: 15, views: 10, top5: 1 });
    expect(own.accuracy).toBe(own.top1Correct / 15);
    expect([...kinds].sort()).toEqual(["prediction", "progress"]);
    const [again, free] = [await model.evaluate(path, { views: 10 }), await evaluate({ run, views: 10, ...quick })];
    expect(again).toEqual({ ...own, imagesPerSecond: expect.any(Number), data: expect.any(String) });
    expect(free).toMatchObject({ confusion: own.confusion, accuracy: own.accuracy });
    await expect(model.evaluate(join(scratch, "none"))).rejects.toMatchObject({ code: "not-found" });
  });

  it("gives a layer's outputs, in memory and into a file", async () => {
    const model = await open();
    const one = await model.features(readFileSync(picture("lake")));
    expect(one).toHaveLength(6);
    const [first, second] = await model.features([picture("apple"), picture("lake")], { layer: "conv1" });
    expect(first).toHaveLength(4 * 8 * 8);
    expect(second).not.toEqual(first);
    const out = join(scratch, "one.safetensors");
    await model.writeFeatures({ pictures: [picture("lake")], out, format: "safetensors" });
    expect(readSafetensors(out).tensors.get("features")?.data).toEqual(one);
    await expect(model.features(new Uint8Array(2))).rejects.toMatchObject({ code: "unreadable-picture" });
    await expect(model.features(picture("lake"), { layer: "fc9" })).rejects.toThrow(/has no such layer; it has conv1/);
  });

  it("finds what is like a picture in memory", async () => {
    const model = await open();
    const set = join(path, "train");
    const { queries } = await model.similar(readFileSync(picture("lake")), { set, count: 2 });
    const [byFile] = (await model.similar([picture("lake")], { set, count: 2 })).queries;
    expect(queries).toEqual([{ file: "queries[0]", neighbours: byFile?.neighbours }]);
  });

  it("looks at a picture, in memory and drawn into a folder", async () => {
    const model = await open();
    const seen = await model.look(readFileSync(picture("apple")), { occlusion: { size: 30, step: 30 } });
    expect(seen.maps.map(({ layer }) => layer)).toEqual(["conv1", "relu1", "pool1", "fc2", "relu2", "fc3"]);
    expect(seen.maps[0]).toMatchObject({ kind: "convolution", channels: 4, height: 8, width: 8 });
    expect(seen.maps[0]?.values).toHaveLength(4 * 8 * 8);
    expect(seen.saliency).toHaveLength(67 * 67);
    expect(seen.crop).toHaveLength(67 * 67 * 3);
    const out = join(scratch, "look");
    const drawn = await model.writeLook(picture("apple"), { out, occlusion: { size: 30, step: 30 } });
    expect(drawn).toMatchObject({ picture: picture("apple"), class: seen.class, mostTelling: seen.mostTelling });
    expect(drawn.files.every((file) => existsSync(join(out, file)))).toBe(true);
    await expect(model.look(picture("apple"), { class: "unicorn" })).rejects.toThrow(/knows no such class/);
  });
});
