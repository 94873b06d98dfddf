import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AlexnetError } from "#src/errors.js";
import { decodePicture } from "#src/images/decode/decode.js";
import { DEFAULT_PICTURE_SIZE, pictureBytes } from "#src/network/picture.js";

import { damage, damaged, drawForms, RUNS, randomBytes } from "../support/damage.js";

const LONGEST_MS = 35_000; // what decoding may take, and then some: a hang is longer

/** Pixels of the right number, or an error for people: nothing else. */
async function decodesOrSaysWhy(bytes: Uint8Array): Promise<void> {
  const outcome = await decodePicture(bytes).catch((error: unknown) => error);
  if (outcome instanceof Uint8Array) expect(outcome).toHaveLength(pictureBytes(DEFAULT_PICTURE_SIZE));
  else expect(outcome).toBeInstanceOf(AlexnetError);
}

describe("no file crashes, hangs or passes unnoticed", () => {
  test(`${RUNS} files of random bytes`, { timeout: 600_000 }, async () => {
    await fc.assert(fc.asyncProperty(randomBytes, decodesOrSaysWhy), { numRuns: RUNS, timeout: LONGEST_MS, seed: 1 });
  });

  test(`${RUNS} damaged pictures`, { timeout: 600_000 }, async () => {
    const whole = await drawForms();
    const property = fc.asyncProperty(fc.constantFrom(...whole), damage, (file, how) =>
      decodesOrSaysWhy(damaged(file, how)),
    );
    await fc.assert(property, { numRuns: RUNS, timeout: LONGEST_MS, seed: 2 });
  });
});
