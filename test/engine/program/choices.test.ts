import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Tuning } from "#src/engine/cuda/tuning.js";
import { SavedChoices } from "#src/engine/program/choices.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alexnet-choices-"));
  path = join(folder, "choices", "engine.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

const held = (): Record<string, string> => JSON.parse(readFileSync(path, "utf8"));

it("what two programs found is kept of both, whichever opened the file first", () => {
  const [one, other] = [new SavedChoices(path), new SavedChoices(path)];
  one.keep("conv1 forward", "direct");
  other.keep("conv2 forward", "winograd");
  one.keep("conv3 forward", "product");
  expect(held()).toEqual({ "conv1 forward": "direct", "conv2 forward": "winograd", "conv3 forward": "product" });
  expect(one.get("conv2 forward")).toBe("winograd");
  expect(new SavedChoices(path).get("conv1 forward")).toBe("direct");
  expect(one.get("toString")).toBeUndefined();
});

it("processes that find choices at the same time lose none", { timeout: 60_000 }, async () => {
  const script = fileURLToPath(new URL("../../support/keep-choices.js", import.meta.url));
  const counts = ["a", "b", "c", "d"];
  await Promise.all(counts.map((name) => promisify(execFile)(process.execPath, [script, path, name, "10"])));
  const expected = counts.flatMap((name) => Array.from({ length: 10 }, (_, i) => `${name}${i}`));
  expect(Object.keys(held()).sort()).toEqual(expected.sort());
  expect(readdirSync(dirname(path))).toEqual(["engine.json"]);
});

it("what a crash left of a file being written is removed, once nobody can be writing it", () => {
  mkdirSync(dirname(path), { recursive: true });
  const [old, fresh] = ["1-0-1", "2-0-1"].map((name) => `${path}.${name}.part`);
  for (const left of [old, fresh]) writeFileSync(left, "{");
  utimesSync(old, 0, 0);
  new SavedChoices(path).keep("conv1 forward", "direct");
  expect(readdirSync(dirname(path)).sort()).toEqual(["engine.json", "engine.json.2-0-1.part"]);
});

it("the CUDA engine keeps what another process found meanwhile", () => {
  const before = process.env.ALEXNET_CACHE;
  process.env.ALEXNET_CACHE = folder;
  try {
    const graph = { launch: () => {}, close: () => {} };
    const event = { close: () => {} };
    const device = {
      capture: () => graph,
      createEvent: () => event,
      record: () => {},
      elapsed: () => 1,
      wait: () => {},
    };
    const tuning = () => new Tuning(device as never, "a machine");
    const algorithms = ["cudnn", "im2col"].map((implementation) => ({ implementation, prepare: () => () => {} }));
    const [one, other] = [tuning(), tuning()];
    one.choose("forward 1x1", algorithms);
    other.choose("forward 2x2", algorithms);
    const [file = ""] = readdirSync(join(folder, "choices"));
    expect(JSON.parse(readFileSync(join(folder, "choices", file), "utf8"))).toEqual({
      "forward 1x1": "cudnn",
      "forward 2x2": "cudnn",
    });
  } finally {
    if (before === undefined) delete process.env.ALEXNET_CACHE;
    else process.env.ALEXNET_CACHE = before;
  }
});
