import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { recipes } from "#src/recipes/recipes.js";
import { findLearningRate, type SweepEvent } from "#src/training/find-rate.js";
import { resume, train } from "#src/training/train.js";
import { drawnPictures } from "../support/pictures.js";
import { quickTraining } from "../support/training.js";

const pictures = drawnPictures({ train: 4, val: 2 });
const { momentum: _, ...partial } = recipes.small;

/** What a caller without types may give, and the error's beginning. */
const refused: readonly (readonly [object, string])[] = [
  [{ epochs: -1 }, "epochs is -1; give a whole number from 1"],
  [{ epochs: "3" }, 'epochs is "3"; give a whole number from 1'],
  [{ epochs: 2.5 }, "epochs is 2.5; give a whole number from 1"],
  [{ learningRate: Number.NaN }, "learningRate is NaN; give a number above 0"],
  [{ learningRate: 0 }, "learningRate is 0; give a number above 0"],
  [{ batchSize: "all" }, 'batchSize is "all"; give a whole number from 1 or "auto"'],
  [{ width: 17 }, "width is 17; give a number above 0, up to 16"],
  [{ recipe: partial }, "recipe.momentum is missing"],
  [{ recipe: { ...recipes.small, epochs: 0 } }, "recipe.epochs is 0; give a whole number from 1"],
  [{ recipe: { ...recipes.small, rate: 1 } }, "recipe has no field rate"],
  [{ engine: "abacus" }, 'engine is "abacus"; give one of "auto"'],
  [{ checkpointEvery: "10m" }, 'checkpointEvery is "10m"; give an object'],
  [{ checkpointEvery: { unit: "days", every: 1 } }, 'checkpointEvery.unit is "days"; give one of "seconds"'],
  [{ from: Buffer.from("runs/base") }, "from is a Buffer; give a path, as a string"],
  [{ layerRates: { conv1: -1 } }, "layerRates.conv1 is -1; give a number from 0"],
  [{ signal: {} }, "signal is an object; give the signal of an AbortController"],
  [{ learninRate: 0.1 }, "there is no option learninRate; did you mean learningRate?"],
];

describe("train", () => {
  test.each([
    ...refused,
    [{ data: undefined }, "data is missing; give a path, as a string"],
    [{ data: Buffer.from("photos") }, "data is a Buffer; give a path, as a string"],
    [{ run: 3 }, "run is 3; give a path, as a string"],
    [{ preparation: { valFraction: 1 } }, "preparation.valFraction is 1; give a number from 0 up to, but not"],
    [{ preparation: { fraction: 0.1 } }, "preparation has no field fraction"],
  ] as const)("with %o is refused before anything is written", async (options, message) => {
    const run = join(pictures.scratch, "refused");
    const failing = train({ ...quickTraining(pictures.path, run), ...(options as object) });
    await expect(failing).rejects.toMatchObject({ code: "invalid-option" });
    await expect(failing).rejects.toThrow(`train: ${message}`);
    expect(existsSync(run)).toBe(false);
  });

  test("without options is refused", async () => {
    await expect(train({} as never)).rejects.toThrow("train: data is missing");
    await expect(train(undefined as never)).rejects.toThrow("train: takes an object of options, not undefined");
  });

  test("what it is to start from is missed before the pictures are", async () => {
    const options = { ...quickTraining("no pictures", join(pictures.scratch, "missing")), network: undefined };
    await expect(train({ ...options, from: "no run" })).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringMatching(/^no run: /),
    });
  });

  test("a description of a network that breaks a rule is refused before anything is prepared", async () => {
    const { network: _network, ...options } = quickTraining(pictures.path, join(pictures.scratch, "broken"));
    const network = { name: "broken", input: { channels: 3, size: 67 }, layers: [{ kind: "relu" }] } as never;
    await expect(train({ ...options, network })).rejects.toMatchObject({ code: "invalid-network" });
  });
});

describe("resume", () => {
  test.each([
    ...refused,
    [{ run: undefined }, "run is missing; give a path, as a string"],
    [{ override: "yes" }, 'override is "yes"; give true or false'],
    [{ preparation: {} }, "there is no option preparation"],
  ] as const)("with %o is refused before the run is looked for", async (options, message) => {
    const failing = resume({ run: "no run", ...(options as object) });
    await expect(failing).rejects.toMatchObject({ code: "invalid-option" });
    await expect(failing).rejects.toThrow(`resume: ${message}`);
  });

  test("a run that is not there is missed before the pictures are, with how to see which there are", async () => {
    const failing = resume({ run: join(pictures.scratch, "none"), data: "no pictures" });
    await expect(failing).rejects.toMatchObject({
      code: "not-found",
      problem: `${join(pictures.scratch, "none")}: no training run`,
      hints: [{ call: "listRuns", options: { folder: pictures.scratch } }],
    });
  });
});

describe("findLearningRate", () => {
  test.each([
    [{ steps: 0 }, "findLearningRate: steps is 0; give a whole number from 1"],
    [{ epochs: 3 }, "findLearningRate: there is no option epochs"],
    [{ from: 1, to: 0.1 }, "from 1 to 0.1: the rates must rise"],
  ])("with %o is refused before anything is prepared", async (options, message) => {
    const events: SweepEvent[] = [];
    const failing = findLearningRate({ data: "no pictures", onEvent: (event) => events.push(event), ...options });
    await expect(failing).rejects.toMatchObject({ code: "invalid-option" });
    await expect(failing).rejects.toThrow(message);
    expect(events).toEqual([]);
  });

  test("is stopped while it prepares pictures, and tells how far that is", async () => {
    const stop = new AbortController();
    const kinds = new Set<string>();
    const onEvent = ({ kind }: SweepEvent): void => {
      kinds.add(kind);
      stop.abort("test");
    };
    const { network, recipe, engine, threads } = quickTraining(pictures.path, "none");
    // a share of validation of its own, so that no other test prepared this
    const preparation = { seed: 77 };
    const failing = findLearningRate({
      ...{ data: pictures.path, network, recipe, engine, threads, preparation },
      onEvent,
      signal: stop.signal,
    });
    await expect(failing).rejects.toMatchObject({ code: "interrupted" });
    expect([...kinds]).toEqual(["preparing"]);
  });

  test("tells each rate that it tried, as data", async () => {
    const { network, recipe, engine, threads } = quickTraining(pictures.path, "none");
    const events: SweepEvent[] = [];
    const onEvent = (event: SweepEvent): void => void events.push(event);
    const options = { data: pictures.path, network, recipe, engine, threads, steps: 3, onEvent };
    const { points } = await findLearningRate(options);
    expect(events.filter(({ kind }) => kind === "rate")).toEqual(points.map((point) => ({ kind: "rate", ...point })));
    expect(events.at(-1)).toEqual({ kind: "progress", of: "trying rates", done: 3, total: 3 });
    expect(JSON.parse(JSON.stringify(events)), "plain data").toEqual(events);
  });
});

test("every event of a run is data that JSON can carry", async () => {
  const run = join(pictures.scratch, "events");
  const events: unknown[] = [];
  await train({ ...quickTraining(pictures.path, run), epochs: 1, onEvent: (event) => events.push(event) });
  const kinds = new Set(events.map((event) => (event as { kind: string }).kind));
  for (const kind of ["starting", "started", "step", "row", "layers", "progress", "epoch", "checkpoint", "ended"])
    expect(kinds).toContain(kind);
  expect(JSON.parse(JSON.stringify(events))).toEqual(events.map((event) => withoutUndefined(event)));
  expect(readdirSync(run)).toContain("config.json");
});

/** JSON leaves out what is undefined. */
function withoutUndefined(event: unknown): unknown {
  return Object.fromEntries(Object.entries(event as object).filter(([, value]) => value !== undefined));
}
