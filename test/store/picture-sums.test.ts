import { expect, test } from "vitest";
import { bits } from "#src/random.js";
import { PictureSummation, type PictureSums } from "#src/store/picture-sums.js";
import { pictureSumsKernel } from "#src/store/picture-sums-kernel.js";
import { assemble } from "../support/assemble.js";

const noise = (seed: number, bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => bits(seed, i) >>> 24);

function sumPlainly(pictures: readonly Uint8Array[], bytes: number): PictureSums {
  const pixels = new Uint32Array(bytes);
  const products = [0, 0, 0, 0, 0, 0];
  const pairs = [0, 1, 2].flatMap((first) => [0, 1, 2].filter((second) => second >= first).map((b) => [first, b]));
  for (const picture of pictures)
    for (let i = 0; i < bytes; i += 3) {
      for (const channel of [0, 1, 2]) pixels[i + channel] += picture[i + channel];
      for (const [p, [a, b]] of pairs.entries()) products[p] += picture[i + a] * picture[i + b];
    }
  return { pixels, products };
}

test.each([256, 32, 37, 600])(
  "sums of pixels and of products of colours of pictures of %i, to the last digit",
  (size) => {
    const bytes = size * size * 3;
    const white = new Uint8Array(bytes).fill(255);
    const summation = new PictureSummation(size);
    for (const pictures of [
      [noise(1, bytes)],
      [white, white, white],
      [noise(2, bytes), noise(3, bytes), new Uint8Array(bytes)],
      [],
    ]) {
      for (const picture of pictures) summation.add(picture);
      const [sums, expected] = [summation.take(), sumPlainly(pictures, bytes)];
      expect(sums.products).toEqual(expected.products);
      expect(Buffer.compare(Buffer.from(sums.pixels.buffer), Buffer.from(expected.pixels.buffer))).toBe(0);
    }
  },
);

test("the kernel is the one in picture-sums.wat (scripts/assemble-kernels.mjs)", async () => {
  expect(await assemble("store/picture-sums.wat")).toBe(pictureSumsKernel);
});
