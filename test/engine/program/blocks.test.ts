import fc from "fast-check";
import { expect, it } from "vitest";
import { type Block, livesMeet, placeBlocks } from "#src/engine/program/blocks.js";

const block: fc.Arbitrary<Block> = fc
  .record({
    bytes: fc.oneof(fc.nat(5000), fc.constantFrom(0, 1, 64, 256)),
    first: fc.nat(20),
    length: fc.nat(20),
    kept: fc.boolean(),
  })
  .map(({ bytes, first, length, kept }) => ({ bytes, first, last: first + length, kept, offset: 0 }));

const cases = fc.record({ blocks: fc.array(block, { maxLength: 30 }), alignment: fc.constantFrom(1, 64, 256) });

const aligned = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment;

it("blocks whose lives meet don't overlap, and each begins at a multiple of the alignment within the whole", () => {
  fc.assert(
    fc.property(cases, ({ blocks, alignment }) => {
      const total = placeBlocks(blocks, alignment);
      for (const [i, a] of blocks.entries()) {
        expect(a.offset % alignment).toBe(0);
        expect(a.offset).toBeGreaterThanOrEqual(0);
        expect(a.offset + a.bytes).toBeLessThanOrEqual(total);
        for (const b of blocks.slice(i + 1))
          if (livesMeet(a, b) && a.bytes > 0 && b.bytes > 0)
            expect(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset).toBe(true);
      }
    }),
  );
});

it("takes at least what is alive at once at any time, and at most what all take side by side", () => {
  fc.assert(
    fc.property(cases, ({ blocks, alignment }) => {
      const total = placeBlocks(blocks, alignment);
      for (let time = 0; time <= 40; time++) {
        const alive = blocks.filter(({ kept, first, last }) => kept || (first <= time && time <= last));
        expect(total).toBeGreaterThanOrEqual(alive.reduce((sum, { bytes }) => sum + bytes, 0));
      }
      const beside = blocks.reduce((sum, { bytes }) => sum + aligned(bytes, alignment), 0);
      expect(total).toBeLessThanOrEqual(beside);
    }),
  );
});

it("memory of blocks that end is used again: a chain of operations takes as much as its largest pair", () => {
  const chain = [100, 300, 200, 400].map(
    (bytes, i): Block => ({ bytes, first: i, last: i + 1, kept: false, offset: 0 }),
  );
  expect(placeBlocks(chain, 1)).toBe(600);
});

it("the order that takes less is taken: what is kept at the bottom, where the largest first would leave a gap", () => {
  const blocks: Block[] = [
    { bytes: 100, first: 0, last: 1, kept: false, offset: 0 },
    { bytes: 90, first: 2, last: 3, kept: false, offset: 0 },
    { bytes: 80, first: 1, last: 2, kept: false, offset: 0 },
    { bytes: 10, first: 0, last: 0, kept: true, offset: 0 },
  ];
  expect(placeBlocks(blocks, 1)).toBe(190);
});
