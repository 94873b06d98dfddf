import { writeFileSync } from "node:fs";
import { join } from "node:path";
import zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeNpy, readNpy } from "#src/formats/npy.js";
import { crc32, tableCrc32 } from "#src/formats/pytorch/crc32.js";
import { decodeHalf, encodeHalf } from "#src/system/half.js";
import { decodeNumbers } from "#src/system/numbers.js";
import { temporaryFolder } from "../support/folders.js";

const folder = temporaryFolder();

describe("halves", () => {
  it("come back, all 65536 of them", () => {
    for (let half = 0; half < 0x10000; half++) {
      const value = decodeHalf(half);
      if (Number.isNaN(value)) expect(Number.isNaN(decodeHalf(encodeHalf(value)))).toBe(true);
      else if (encodeHalf(value) !== half) expect(encodeHalf(value), `${value}`).toBe(half);
    }
  });

  it("have the known values", () => {
    const known = [
      [0x0000, 0],
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
      [0x3555, 0.333251953125],
      [0x7c00, Number.POSITIVE_INFINITY],
    ] as const;
    for (const [half, value] of known) expect(decodeHalf(half)).toBe(value);
    expect(Object.is(decodeHalf(0x8000), -0)).toBe(true);
  });

  it("are the nearest, ties to even", () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const half = encodeHalf(value);
        const error = Math.abs(decodeHalf(half) - value);
        const magnitude = half & 0x7fff;
        for (const other of [magnitude - 1, magnitude + 1]) {
          if (other < 0 || other > 0x7bff) continue;
          const distance = Math.abs(decodeHalf(other) - Math.abs(value));
          expect(error < distance || (error === distance && half % 2 === 0)).toBe(true);
        }
      }),
      { seed: 7, numRuns: 2000 },
    );
    expect(encodeHalf(65519.99)).toBe(0x7bff);
    expect(encodeHalf(65520)).toBe(0x7c00);
    expect(encodeHalf(-1e30)).toBe(0xfc00);
    expect(encodeHalf(2 ** -25)).toBe(0);
    expect(encodeHalf(1.5 * 2 ** -24)).toBe(2);
  });
});

describe("numbers in files", () => {
  it("are decoded wherever they lie", () => {
    const bytes = Buffer.alloc(17);
    bytes.writeFloatLE(1.5, 1);
    bytes.writeFloatLE(-2.25, 5);
    const into = new Float32Array(2);
    decodeNumbers(bytes.subarray(1, 9), "float32", into);
    expect([...into]).toEqual([1.5, -2.25]);
    bytes.writeDoubleLE(Math.PI, 1);
    bytes.writeDoubleLE(-1, 9);
    decodeNumbers(bytes.subarray(1), "float64", into);
    expect([...into]).toEqual([Math.fround(Math.PI), -1]);
    decodeNumbers(Buffer.of(0x80, 0x3f, 0x40, 0xc0), "bfloat16", into);
    expect([...into]).toEqual([1, -3]);
  });
});

describe("checksums", () => {
  it("are those of zlib, by either way", () => {
    const text = Buffer.from("123456789");
    expect(tableCrc32(text)).toBe(0xcbf43926);
    expect(crc32(text)).toBe(0xcbf43926);
    if (zlib.crc32 !== undefined)
      fc.assert(
        fc.property(fc.uint8Array(), (bytes) => tableCrc32(bytes) === zlib.crc32(bytes)),
        { seed: 1 },
      );
  });
});

describe(".npy files", () => {
  it.each([[[6]], [[2, 3]], [[3, 1, 2]], [[]]])("of shape %o come back", (shape) => {
    const path = join(folder, "x.npy");
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 7);
    writeFileSync(path, Buffer.concat(encodeNpy(shape, data)));
    expect(readNpy(path)).toEqual({ shape, data });
  });

  it("start their values at a multiple of 64 bytes, as NumPy's do", () => {
    const [head] = encodeNpy([5, 4096], new Float32Array(5 * 4096));
    expect(head.length % 64).toBe(0);
    expect(Buffer.from(head).toString("latin1", 10)).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(5, 4096\), \} *\n$/,
    );
  });
});
