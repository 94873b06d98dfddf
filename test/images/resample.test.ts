import { expect, test } from "vitest";
import { type Box, resample } from "#src/images/resample.js";
import { resampleKernel } from "#src/images/resample-kernel.js";
import { bits, mix } from "#src/random.js";
import { assemble } from "../support/assemble.js";

const SIZE = 256;
const SIZES = [SIZE, 32, 37];

const noise = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => mix(i ^ seed) >>> 24);

const cases: readonly (readonly [width: number, height: number, box: Box])[] = [
  [500, 375, { left: 62.5, top: 0, width: 375, height: 375 }],
  [68, 121, { left: 0, top: 26.57, width: 68, height: 67.7 }],
  [256, 256, { left: 0, top: 0, width: 256, height: 256 }],
  [3, 2, { left: 0.5, top: 0, width: 2, height: 2 }],
  [1, 1, { left: 0, top: 0, width: 1, height: 1 }],
  [40, 900, { left: 0, top: 430, width: 40, height: 40 }],
  [1000, 1000, { left: 0, top: 0, width: 1000, height: 1000 }],
];

function scale(width: number, height: number, fill: (pixels: Uint8Array) => void, box: Box, size = SIZE): Uint8Array {
  const picture = new Uint8Array(size * size * 3);
  resample(width, height, fill, box, picture, size);
  return picture;
}

test.each(SIZES.flatMap((size) => cases.map(([width, height, box]) => [width, height, size, box] as const)))(
  "%ix%i scaled to %i is what the definition gives, to one level",
  (width, height, size, box) => {
    const pixels = noise(width * height * 3, width);
    const picture = scale(width, height, (memory) => memory.set(pixels), box, size);
    const [columns, rows] = [weights(box.left, box.width, width, size), weights(box.top, box.height, height, size)];
    let worst = 0;
    for (let sample = 0; sample < (size === SIZE ? 200 : 40); sample++) {
      const [x, y, channel] = [bits(sample, 0) % size, bits(sample, 1) % size, bits(sample, 2) % 3];
      let expected = 0;
      for (const [row, vertical] of rows(y))
        for (const [column, horizontal] of columns(x))
          expected += vertical * horizontal * pixels[(row * width + column) * 3 + channel];
      const error = Math.abs(Math.max(0, Math.min(255, expected)) - picture[(y * size + x) * 3 + channel]);
      if (!(error <= worst)) worst = error;
    }
    expect(worst).toBeLessThan(1);
  },
);

test.each([0, 1, 127, 254, 255])("an even surface of %i stays even", (level) => {
  for (const [width, height, box] of cases)
    for (const size of SIZES) {
      const picture = scale(width, height, (memory) => memory.fill(level), box, size);
      expect(picture.every((value) => value === level)).toBe(true);
    }
});

test("a second picture does not see the first", () => {
  const [width, height, box] = cases[0];
  const draw = (seed: number) => (memory: Uint8Array) => memory.set(noise(memory.length, seed));
  const alone = scale(width, height, draw(1), box);
  scale(700, 700, draw(2), { left: 0, top: 0, width: 700, height: 700 });
  expect(Buffer.compare(scale(width, height, draw(1), box), alone)).toBe(0);
});

test("the kernel is the one in resample.wat (scripts/assemble-kernels.mjs)", async () => {
  expect(await assemble("images/resample.wat")).toBe(resampleKernel);
});

/** Lanczos3 as its definition has it: for each output, the inputs within reach and their shares. */
function weights(start: number, length: number, available: number, size: number) {
  const scale = length / size;
  const stretch = Math.max(1, scale);
  const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  return (output: number): [number, number][] => {
    const shares: [number, number][] = [];
    for (let input = 0; input < available; input++) {
      const distance = (input + 0.5 - (start + (output + 0.5) * scale)) / stretch;
      if (Math.abs(distance) < 3) shares.push([input, sinc(distance) * sinc(distance / 3)]);
    }
    const sum = shares.reduce((total, [, share]) => total + share, 0);
    return shares.map(([input, share]) => [input, share / sum]);
  };
}
