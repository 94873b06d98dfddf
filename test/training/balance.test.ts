import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { withHints } from "#src/errors.js";
import { recipes } from "#src/recipes/recipes.js";
import type { TrainEvent } from "#src/runs/events.js";
import { readMetrics } from "#src/runs/metrics.js";
import { classWeights } from "#src/training/balance.js";
import { resume, type TrainOptions, train } from "#src/training/train.js";
import { drawnPictures } from "../support/pictures.js";
import { expectSameRun, rowsOf } from "../support/runs.js";
import { quickTraining } from "../support/training.js";

const pictures = drawnPictures({ train: [24, 6, 2], val: [12, 3, 1] });
const { newRun } = pictures;
const options = (run: string, changes: Partial<TrainOptions> = {}) => quickTraining(pictures.path, run, changes);

/** Stops a run after so many steps. */
function stopAfter(steps: number): Pick<TrainOptions, "signal" | "onEvent"> {
  const stop = new AbortController();
  return { signal: stop.signal, onEvent: (event) => event.kind === "step" && event.step === steps && stop.abort() };
}

describe("weights of classes", () => {
  test("are n / (K n_c): each class weighs the same, and a picture 1 on average", () => {
    const labels = Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 3);
    const weights = classWeights(labels, 5); // of 2 and 4 there are none
    expect([...weights]).toEqual([9 / (3 * 6), 9 / (3 * 2), 0, 9 / (3 * 1), 0]);
    expect(labels.reduce((sum, label) => sum + weights[label], 0)).toBe(labels.length);
  });

  test("of classes of one size are 1", () => {
    expect([...classWeights(Int32Array.of(0, 1, 2, 2, 1, 0), 3)]).toEqual([1, 1, 1]);
  });
});

describe.each(["weights", "sampling"] as const)("a run with balance %s", (balance) => {
  test("says so in its settings, learns otherwise than without, and goes on to the bit after a stop", async () => {
    const [plain, whole, stopped] = [newRun(), newRun(), newRun()];
    await train(options(plain));
    await train(options(whole, { balance }));
    expect(JSON.parse(readFileSync(join(whole, "config.json"), "utf8")).balance).toBe(balance);
    expect(rowsOf(whole)).not.toEqual(rowsOf(plain));
    await expect(train(options(stopped, { balance, ...stopAfter(6) }))).rejects.toThrow("stopped in epoch 2");
    await resume({ run: stopped });
    expectSameRun(stopped, whole);
  });
});

describe("a run on unbalanced classes", () => {
  async function warningsOf(changes: Partial<TrainOptions> = {}): Promise<readonly string[]> {
    const warnings: string[] = [];
    const onEvent = (event: TrainEvent): void => {
      if (event.kind === "warning") warnings.push(withHints(event.problem, event.hints));
    };
    await train(options(newRun(), { ...changes, onEvent }));
    return warnings;
  }

  test("is told once which classes are small, which had no right answer, and how far the best epoch is chance", async () => {
    const recipe = { ...recipes.small, name: "idle", epochs: 2, batchSize: 8, learningRate: 1e-9 }; // it can't learn
    const warnings = (await warningsOf({ recipe })).filter((warning) => !warning.startsWith("leakage"));
    expect(warnings).toEqual([
      "2 of 3 classes have fewer than 20 training pictures, and a class of so few is hardly learnt: meadow (2), lake (6); " +
        'let each class weigh the same (balance: "weights")',
      "2 of 3 classes have fewer than 10 validation pictures, and how well they are told apart is hardly known: meadow (1), lake (3)",
      expect.stringMatching(/^\d classes? of 3 had no right answer in the last epoch's validation: \w+ \(0 of \d+\)/),
      expect.stringMatching(
        /^the best epoch, [12], was picked by 16 validation pictures: its error of \d+\.\d % may be anything from \d+\.\d % to \d+\.\d %/,
      ),
    ]);
  });

  test("is not told to balance what it balances", async () => {
    expect((await warningsOf({ balance: "weights" })).join()).not.toContain("balance:");
  });

  test("without validation pictures is told so, and nothing of its validation", async () => {
    const data = join(pictures.path, "train");
    const warnings = await warningsOf({ data, preparation: { valFraction: 0 } });
    expect(warnings.filter((warning) => warning.includes("validation"))).toEqual([
      "there are no validation pictures: nothing tells how well it does on pictures it was not trained on; " +
        "keep some of a folder's (valFraction: 0.1)",
    ]);
  });

  test("records mean recall and macro F1 with each epoch", async () => {
    const run = newRun();
    await train(options(run, { epochs: 1 }));
    const [epoch] = readMetrics(join(run, "metrics.jsonl")).filter((row) => row.kind === "epoch");
    expect(epoch).toMatchObject({ validation: { meanRecall: expect.any(Number), macroF1: expect.any(Number) } });
    expect(readFileSync(join(run, "log.txt"), "utf8")).toMatch(/validation top-1 .*, mean recall .* %, macro F1 .* %/);
  });
});
