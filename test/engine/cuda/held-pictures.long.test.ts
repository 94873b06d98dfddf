import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Engine, Program } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { initialise } from "#src/network/initialise.js";
import type { Batch } from "#src/network/picture.js";
import { recipes } from "#src/recipes/recipes.js";
import type { Started } from "#src/runs/events.js";
import { type TrainOptions, train } from "#src/training/train.js";
import { useEmulator } from "../../support/emulator.js";
import { temporaryFolder } from "../../support/folders.js";
import { centred, noiseBatch, PICTURE, SMALL_CLASSES, smallNetwork } from "../../support/networks.js";
import { drawnPictures } from "../../support/pictures.js";
import { expectSameRun } from "../../support/runs.js";
import { tinyNetwork } from "../../support/training.js";

/** Pictures that stay in the device's memory: everything is as if they came with each batch. */

const missing = useEmulator();
const emulated = describe.skipIf(missing !== undefined);
if (missing !== undefined) console.warn(`pictures held on a device are skipped: ${missing}`);
const SLOW = { timeout: 120_000 };

const pictures = drawnPictures({ train: 7, val: 3 });
const set: string[] = [];
const emulate = (name: string, value: string): void => {
  process.env[name] = value;
  set.push(name);
};
let engine: Engine | undefined;
afterEach(async () => {
  await engine?.close();
  engine = undefined;
  for (const name of set.splice(0)) delete process.env[name];
});

emulated("a program that holds pictures", SLOW, () => {
  const stepOptions = { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005, seed: 7 };
  const compile = async (): Promise<Program> => {
    engine ??= await openEngine("cuda");
    const program = await engine.compile(smallNetwork, { batchSize: 3, mode: "train", preprocessing: centred });
    await program.write("parameters", initialise(smallNetwork, { deviation: 0.1, biases: {} }, 1));
    return program;
  };
  const all = noiseBatch(5, SMALL_CLASSES).pictures;
  /** Three samples of which two show the same picture. */
  const batch = (seed: number, change: Partial<Batch>): Batch => {
    const { views, ...rest } = noiseBatch(3, SMALL_CLASSES, seed);
    const own = views.map((view, i) => ({ ...view, picture: (seed + 2 * (i >> 1)) % 5, top: i, mirrored: i === 1 }));
    return { ...rest, views: own, ...change };
  };
  const named = (seed: number): Batch => batch(seed, { held: true, pictures: new Uint8Array() });

  it("steps and predicts as if they came with each batch, and brings none", async () => {
    const [holding, brought] = [await compile(), await compile()];
    expect(await holding.reserve(5)).toBeGreaterThanOrEqual(5);
    await holding.hold(all.subarray(0, 2 * PICTURE));
    await holding.hold(all.subarray(2 * PICTURE));
    const trace = join(temporaryFolder(), "trace");
    emulate("EMULATOR_TRACE", trace);
    const steps = [1, 2, 3, 4].map((seed) => holding.step(named(seed), stepOptions));
    const actual = { steps: await Promise.all(steps), predicted: await holding.predict(named(5)) };
    expect(readFileSync(trace, "utf8")).not.toContain("bring");
    const from = (seed: number): Batch => batch(seed, { pictures: all });
    for (const [i, result] of actual.steps.entries())
      expect(await brought.step(from(i + 1), stepOptions)).toEqual(result);
    expect(await brought.predict(from(5))).toEqual(actual.predicted);
    expect(await brought.read("parameters")).toEqual(await holding.read("parameters"));
  });

  it("takes batches that bring theirs all the same, and another set", async () => {
    const [holding, brought] = [await compile(), await compile()];
    await holding.reserve(1);
    await holding.hold(all.subarray(0, PICTURE));
    await holding.reserve(5);
    await holding.hold(all);
    const own = noiseBatch(3, SMALL_CLASSES, 8);
    for (const one of [named(1), own, named(2)]) await holding.step(one, stepOptions);
    for (const one of [1, own, 2])
      await brought.step(typeof one === "number" ? batch(one, { pictures: all }) : one, stepOptions);
    expect(await brought.read("parameters")).toEqual(await holding.read("parameters"));
  });

  it("refuses what it doesn't hold or has no room for", async () => {
    const program = await compile();
    const refused = (call: Promise<unknown>, message: RegExp) =>
      expect(call).rejects.toMatchObject({ code: "invalid-option", message: expect.stringMatching(message) });
    await refused(program.step(named(1), stepOptions), /asks for .* of 0 pictures held/);
    await refused(program.hold(all), /hold: 0 and 5 pictures; 0 were reserved/);
    await refused(program.reserve(0.5), /reserve: 0.5 pictures/);
    await program.reserve(5);
    await program.hold(all.subarray(0, PICTURE));
    await refused(program.step(named(1), stepOptions), /asks for .* of 1 pictures held/);
    await refused(program.hold(all), /hold: 1 and 5 pictures; 5 were reserved/);
    const room = await program.reserve(1 << 30);
    expect(room).toBeGreaterThan(0);
    expect(room).toBeLessThan((16 * 2 ** 30) / PICTURE);
    await refused(program.hold(all), /0 were reserved/);
  });
});

emulated("training", SLOW, () => {
  let runs = 0;
  const run = async (changes: Partial<TrainOptions>) => {
    const path = join(pictures.scratch, "runs", String(++runs));
    let started: Started | undefined;
    await train({
      ...{ data: pictures.path, run: path, network: tinyNetwork, engine: "cuda", precision: "bf16", seed: 5 },
      recipe: { ...recipes.small, name: "quick", epochs: 2, batchSize: 8 },
      onEvent: (event) => {
        if (event.kind === "started") started = event;
      },
      ...changes,
    });
    return { path, room: started?.capacity ?? -1, log: readFileSync(join(path, "log.txt"), "utf8") };
  };

  it("holds the pictures where they fit, with the same results", async () => {
    const [held, brought] = [await run({}), await run({ resident: false })];
    expect(held.room).toBeGreaterThanOrEqual(30);
    expect(held.log).toContain("bringing pictures into the GPU's memory: all 30");
    expect(brought.room).toBe(0);
    expectSameRun(held.path, brought.path);
  });

  it("brings them for each step where they don't fit", async () => {
    emulate("EMULATOR_BYTES", String(320 << 20));
    const { room, log } = await run({ epochs: 1 });
    expect(room).toBeLessThan(30);
    expect(log).not.toContain("held");
  });

  it("finds where numbers overflow as without", async () => {
    const overflow = (resident: boolean) =>
      run({ resident, learningRate: 1e20 }).then(String, ({ message }: Error) =>
        message.replace(/runs\/\d+/g, "runs/"),
      );
    const found = await overflow(true);
    expect(found).toMatch(
      /the loss of step \d+ \(epoch 1\) is not finite: the outputs of \w+ are the first to overflow/,
    );
    expect(found).toBe(await overflow(false));
  });

  it("has nothing to hold on a CPU", async () => {
    expect((await run({ engine: "reference", precision: "float32", epochs: 1 })).room).toBe(0);
  });
});
