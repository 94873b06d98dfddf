import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { claimByName } from "#src/claims/claims.js";
import { claimSection } from "#src/claims/page.js";
import { readClaimResult } from "#src/claims/result.js";
import { tryClaim } from "#src/claims/trial.js";
import { drawnPictures } from "../support/pictures.js";

/** Two claims from pictures to page, with and without a search for the rate, as small as they can be. */

const { path, scratch } = drawnPictures({ train: 16, val: 8 });
const small = { data: path, out: join(scratch, "claims"), seeds: 2, epochs: 2, threads: 1 } as const;

it("relu: each arm is searched and trained, and everything is written", { timeout: 300_000 }, async () => {
  const result = await tryClaim({ ...small, claim: "relu" });
  const folder = join(small.out, "relu");
  expect(readClaimResult(join(folder, "result.json"))).toEqual(result);
  expect(result.arms.map(({ name }) => name)).toEqual(["relu", "tanh"]);
  for (const { search, learningRate, runs } of result.arms) {
    expect(search.map((tried) => tried.learningRate)).toEqual([0.003, 0.01, 0.03, 0.1]);
    const scores = search.map(({ score }) => score ?? Number.POSITIVE_INFINITY);
    expect(search[scores.indexOf(Math.min(...scores))]?.learningRate).toBe(learningRate);
    expect(runs.map(({ seed, curve }) => [seed, curve.length])).toEqual([
      [1, 2],
      [2, 2],
    ]);
  }
  expect(["supports", "does not", "can't tell"]).toContain(result.verdict);
  const page = readFileSync(join(folder, "index.html"), "utf8");
  expect(page).toContain("tanh, seed 2");
  expect(readFileSync(join(folder, "figure.svg"), "utf8")).toMatch(/^<svg/);
  expect(claimSection(claimByName("relu"), result, "relu.svg", "alexnet claims relu")).toContain("| tanh |");
});

it("ten-views: the same networks twice, and nothing is trained a second time", { timeout: 300_000 }, async () => {
  const first = await tryClaim({ ...small, claim: "ten-views" });
  const runs = join(small.out, "ten-views", "runs");
  expect(readdirSync(runs)).toHaveLength(2);
  const [ten, one] = first.arms;
  expect(ten?.runs.map(({ curve }) => curve)).toEqual(one?.runs.map(({ curve }) => curve));
  const changed = () => readdirSync(runs).map((run) => statSync(join(runs, run, "metrics.jsonl")).mtimeMs);
  const before = changed();
  const again = await tryClaim({ ...small, claim: "ten-views" });
  expect(changed()).toEqual(before);
  expect({ ...again, seconds: 0 }).toEqual({ ...first, seconds: 0 });
  // Another seed is trained, the others stay.
  await tryClaim({ ...small, claim: "ten-views", seeds: 3 });
  expect(readdirSync(runs)).toHaveLength(3);
});

it("goes on where it was stopped", { timeout: 300_000 }, async () => {
  const out = join(scratch, "stopped");
  const stop = new AbortController();
  const stopped = tryClaim({
    ...small,
    out,
    claim: "biases",
    signal: stop.signal,
    onEvent: (event) => {
      if (event.kind === "progress" && event.done === 2) stop.abort("SIGINT");
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: "interrupted" });
  expect(existsSync(join(out, "biases", "result.json"))).toBe(false);
  const result = await tryClaim({ ...small, out, claim: "biases" });
  const whole = await tryClaim({ ...small, claim: "biases" });
  expect({ ...result, seconds: 0 }).toEqual({ ...whole, seconds: 0 });
});

it("refuses what can't be meant", async () => {
  await expect(tryClaim({ ...small, claim: "sigmoid" })).rejects.toMatchObject({ code: "invalid-option" });
  await expect(tryClaim({ ...small, claim: "relu", seeds: 0 })).rejects.toMatchObject({ code: "invalid-option" });
});
