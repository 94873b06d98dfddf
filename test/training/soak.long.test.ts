import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { drawnPictures } from "../support/pictures.js";
import { tinyNetwork } from "../support/training.js";

/** `ALEXNET_SOAK_STEPS=20000 npm run test:long -- soak` for a longer try. */
const STEPS = Number(process.env.ALEXNET_SOAK_STEPS ?? 8000);
const STEPS_AN_EPOCH = 100;
const WARM_UP = 40; // epochs
/** Epochs whose lowest memory counts, after the warm-up and at the end: in between the garbage of a few is seen. */
const WINDOW = 20;
/** The promise, of a long try. A short one's memory varies by three percent from run to run without any trend. */
const MOST_GROWTH = STEPS >= 20_000 ? 0.02 : 0.05;

const pictures = drawnPictures({ train: 67, val: 10 });

test(`${STEPS} steps with validation and checkpoints: memory stays what it was`, {
  timeout: 120_000 + STEPS * 60,
}, () => {
  const network = join(pictures.scratch, "tiny.json");
  writeFileSync(network, JSON.stringify(tinyNetwork));
  const epochs = Math.ceil(STEPS / STEPS_AN_EPOCH);
  const script = fileURLToPath(new URL("../support/soak-run.js", import.meta.url));
  const args = ["--expose-gc", script, pictures.path, join(pictures.scratch, "run"), network, String(epochs)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const memory: readonly number[] = JSON.parse(stdout || stderr);
  expect(memory).toHaveLength(epochs);
  const before = Math.min(...memory.slice(WARM_UP, WARM_UP + WINDOW));
  const after = Math.min(...memory.slice(-WINDOW));
  console.log(`${megabytes(before)} after ${WARM_UP * STEPS_AN_EPOCH} steps, ${megabytes(after)} after ${STEPS}`);
  expect(after / before - 1).toBeLessThan(MOST_GROWTH);
});

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
