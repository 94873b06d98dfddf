import { afterAll, beforeAll, expect, it } from "vitest";
import { sharedStep } from "#src/distributed/step.js";
import { alone, type Summands, type World } from "#src/distributed/world.js";
import type { Engine, Program } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { initialise } from "#src/network/initialise.js";
import { expectClose } from "../support/compare.js";
import { centred, noiseBatch, SMALL_CLASSES, smallNetwork } from "../support/networks.js";

/** With dropout: its masks go by a sample's place in the whole batch. */
const network = smallNetwork;
const options = { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005, seed: 1 };
const start = initialise(network, { deviation: 0.1, biases: {} }, 1);

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine("reference");
});
afterAll(() => engine.close());

async function compiled(bucketBytes?: number): Promise<Program> {
  const program = await engine.compile(network, { batchSize: 3, mode: "train", preprocessing: centred, bucketBytes });
  await program.write("parameters", start);
  return program;
}

/** Ranks in this process, which meet at each call. */
function worldOf(size: number): readonly World[] {
  const waiting: { readonly values: Summands; readonly answer: () => void }[] = [];
  const sum = (values: Summands): Promise<void> =>
    new Promise((answer) => {
      waiting.push({ values, answer });
      if (waiting.length < size) return;
      const total = waiting[0]?.values.map((_, i) => waiting.reduce((all, { values }) => all + (values[i] ?? 0), 0));
      for (const { values, answer } of waiting.splice(0)) {
        values.set(total ?? []);
        answer();
      }
    });
  return Array.from({ length: size }, (_, rank) => ({ ...alone, rank, size, sum }));
}

it("a world of one steps as its program does", async () => {
  const [plain, shared] = [await compiled(), await compiled()];
  const batch = noiseBatch(3, SMALL_CLASSES);
  expect(await sharedStep(alone, shared, batch, { ...options, samples: 3, firstSample: 0 })).toEqual(
    await plain.step(batch, options),
  );
  expect(await shared.read("parameters")).toEqual(await plain.read("parameters"));
});

it("ranks with unequal shares of a batch, one of them with none, step as one program on the whole of it", async () => {
  const whole = await compiled();
  const worlds = worldOf(3);
  const programs = await Promise.all(worlds.map(() => compiled(1000)));
  for (const seed of [1, 2]) {
    const batch = noiseBatch(3, SMALL_CLASSES, seed);
    const shares = [0, 2, 3].map((first, rank) => {
      const end = [2, 3, 3][rank];
      return { ...batch, views: batch.views.slice(first, end), labels: batch.labels.slice(first, end) };
    });
    const results = await Promise.all(
      worlds.map((world, rank) =>
        sharedStep(world, programs[rank] ?? whole, shares[rank] ?? batch, {
          ...options,
          samples: 3,
          firstSample: [0, 2, 3][rank] ?? 0,
        }),
      ),
    );
    const expected = await whole.step(batch, options);
    for (const result of results) {
      expect(result).toEqual(results[0]);
      expect(result.correct).toBe(expected.correct);
      expectClose(Float64Array.of(result.loss), Float64Array.of(expected.loss), 1e-12, "loss");
    }
  }
  const [first, ...others] = await Promise.all(programs.map((program) => program.read("parameters")));
  for (const other of others) expect(other).toEqual(first);
  expectClose(first ?? new Float32Array(), await whole.read("parameters"), 1e-6, "parameters");
});

it("no rank learns from a loss that is not finite on one of them", async () => {
  const worlds = worldOf(2);
  const programs = await Promise.all(worlds.map(() => compiled(1e9)));
  const broken = start.slice();
  broken[broken.length - 1] = Number.NaN;
  await programs[1]?.write("parameters", broken);
  const batch = noiseBatch(1, SMALL_CLASSES);
  const results = await Promise.all(
    worlds.map((world, rank) =>
      sharedStep(world, programs[rank] as Program, batch, { ...options, samples: 2, firstSample: rank }),
    ),
  );
  for (const { loss } of results) expect(loss).toBeNaN();
  expect(await programs[0]?.read("parameters")).toEqual(start);
});
