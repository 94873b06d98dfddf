import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodePicture } from "#src/images/decode/decode.js";
import { canDecodeHeic } from "#src/images/decode/heic.js";
import { difference } from "../../support/draw.js";

/** 96x64: red and green above blue and yellow; `turned` a quarter to the right by EXIF, `linear` with a linear profile. */
const read = (name: "plain" | "turned" | "linear") => readFileSync(new URL(`./heic/${name}.heic`, import.meta.url));

const red = [220, 40, 30];
const green = [40, 180, 60];
const blue = [30, 60, 220];
const yellow = [240, 220, 40];

/** The colours in the middle of a decoded picture's quarters, row by row. */
function quarters(picture: Uint8Array): number[][] {
  const at = (x: number, y: number) => [...picture.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3)];
  return [at(16, 16), at(48, 16), at(16, 48), at(48, 48)];
}

function expectColours(found: readonly number[][], expected: readonly number[][]): void {
  found.forEach((colour, i) => {
    for (const [channel, value] of colour.entries())
      expect(Math.abs(value - (expected[i]?.[channel] ?? Number.NaN)), `${i}: ${colour}`).toBeLessThan(8);
  });
}

describe.skipIf(!canDecodeHeic())("HEIC, by libheif (an optional package)", () => {
  test("is decoded to its colours", async () => {
    expectColours(quarters(await decodePicture(read("plain"), { size: 64 })), [red, green, blue, yellow]);
  });

  test("is turned as its file says, once", async () => {
    expectColours(quarters(await decodePicture(read("turned"), { size: 64 })), [blue, red, yellow, green]);
  });

  test("has its colour profile converted", async () => {
    const [plain, linear] = [await decodePicture(read("plain")), await decodePicture(read("linear"))];
    expect(difference(plain, linear)).toBeGreaterThan(20);
    const toSrgb = (value: number) => 255 * (1.055 * (value / 255) ** (1 / 2.4) - 0.055);
    const [first = []] = quarters(await decodePicture(read("linear"), { size: 64 }));
    for (const [channel, value] of first.entries()) expect(Math.abs(value - toSrgb(red[channel] ?? 0))).toBeLessThan(8);
  });

  test("that is cut or of another content is refused, and the next is read", async () => {
    const whole = read("plain");
    for (const bytes of [whole.subarray(0, whole.length - 200), whole.subarray(0, 60)])
      await expect(decodePicture(bytes)).rejects.toMatchObject({
        code: "unreadable-picture",
        message: expect.stringMatching(/^(truncated|damaged) HEIC/),
      });
    await expect(decodePicture(whole)).resolves.toHaveLength(256 * 256 * 3);
  });
});

test.skipIf(canDecodeHeic())("HEIC without libheif: an error that names both ways out", async () => {
  await expect(decodePicture(read("plain"))).rejects.toThrow(
    /HEIC is not read; convert it to JPEG or PNG first \(heif-convert .*npm install libheif-js/,
  );
});
