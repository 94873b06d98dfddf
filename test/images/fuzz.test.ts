import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AlexnetError } from "#src/errors.js";
import { decodePicture } from "#src/images/decode.js";
import { PICTURE_BYTES } from "#src/images/picture.js";
import { damage, damaged } from "./damage.js";
import { draw } from "./draw.js";

const RUNS = Number(process.env.FUZZ_RUNS ?? 2000);
const LONGEST_MS = 35_000; // what decoding may take, and then some: a hang is longer

/** Pixels of the right number, or an error for people: nothing else. */
async function decodesOrSaysWhy(bytes: Uint8Array): Promise<void> {
  const outcome = await decodePicture(bytes).catch((error: unknown) => error);
  if (outcome instanceof Uint8Array) expect(outcome).toHaveLength(PICTURE_BYTES);
  else expect(outcome).toBeInstanceOf(AlexnetError);
}

const starts = [
  "",
  "\xff\xd8\xff\xe0",
  "\xff\xd8\xff\xdb",
  "\x89PNG\r\n\x1a\n",
  "GIF89a",
  "RIFF\x20\0\0\0WEBPVP8 ",
  "II*\0",
  "MM\0*",
  "\0\0\0\x1cftypavif",
];

describe("no file crashes, hangs or passes unnoticed", () => {
  test(`${RUNS} files of random bytes`, { timeout: 600_000 }, async () => {
    const bytes = fc
      .tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 2000 }))
      .map(([start, rest]) => Buffer.concat([Buffer.from(start, "latin1"), rest]));
    await fc.assert(fc.asyncProperty(bytes, decodesOrSaysWhy), { numRuns: RUNS, timeout: LONGEST_MS, seed: 1 });
  });

  test(`${RUNS} damaged pictures`, { timeout: 600_000 }, async () => {
    const whole = await Promise.all([
      draw(1, 40, 30).jpeg().toBuffer(),
      draw(2, 40, 30).jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer(),
      draw(3, 40, 30).toColourspace("cmyk").jpeg().toBuffer(),
      draw(4, 40, 30).withIccProfile("p3").jpeg().toBuffer(),
      draw(5, 40, 30).png().toBuffer(),
      draw(6, 40, 30).png({ palette: true, progressive: true }).toBuffer(),
      draw(7, 40, 30).webp().toBuffer(),
      draw(8, 40, 30).gif().toBuffer(),
      draw(9, 40, 30).tiff({ compression: "lzw" }).toBuffer(),
      draw(10, 40, 30).avif({ effort: 0 }).toBuffer(),
    ]);
    const property = fc.asyncProperty(fc.constantFrom(...whole), damage, (file, how) =>
      decodesOrSaysWhy(damaged(file, how)),
    );
    await fc.assert(property, { numRuns: RUNS, timeout: LONGEST_MS, seed: 2 });
  });
});
