import { appendFileSync, closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  encodeSafetensors,
  type NamedTensor,
  openSafetensors,
  readSafetensors,
  readSafetensorsHeader,
} from "#src/formats/safetensors.js";
import { writeParts } from "#src/system/files.js";
import { temporaryFolder } from "../support/folders.js";

const folder = temporaryFolder();
let path: string;
beforeAll(() => {
  path = join(folder, "file.safetensors");
});

function write(tensors: ReadonlyMap<string, NamedTensor>, metadata: Readonly<Record<string, string>>): void {
  const file = openSync(path, "w");
  writeParts(file, encodeSafetensors(tensors, metadata));
  closeSync(file);
}

/** A file of this header, `bytes` long after it. */
function writeRaw(header: unknown, bytes = 0): void {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(bytes)]));
}

const tensors = new Map<string, NamedTensor>([
  ["f32", { shape: [2, 3], data: Float32Array.of(1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-40, 3) }],
  ["f64", { shape: [1], data: Float64Array.of(Math.PI) }],
  ["i32", { shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1) }],
  ["i64", { shape: [1, 1], data: BigInt64Array.of(-(2n ** 62n)) }],
  ["u8", { shape: [3], data: Uint8Array.of(0, 128, 255) }],
  ["scalar", { shape: [], data: Float32Array.of(7) }],
  ["empty", { shape: [0, 4], data: new Float32Array(0) }],
]);
const metadata = { network: "paper", quote: '"ü\n' };

describe("a written file", () => {
  it("is read back bit for bit", () => {
    write(tensors, metadata);
    expect(readSafetensors(path)).toEqual({ tensors, metadata });
  });

  it("tells names, shapes and metadata without its tensors", () => {
    write(tensors, metadata);
    const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
    expect(readSafetensorsHeader(path)).toEqual({ shapes, metadata });
  });

  it("is read tensor by tensor, into memory that is there already", () => {
    write(tensors, metadata);
    const file = openSafetensors(path);
    expect(file.read("u8")).toEqual(tensors.get("u8"));
    const into = new Float64Array(1);
    file.readInto("f64", into);
    expect(into[0]).toBe(Math.PI);
    expect(() => file.readInto("f64", new Float32Array(1))).toThrow("tensor f64 is F64 1; expected another");
    expect(() => file.readInto("f64", new Float64Array(2))).toThrow("expected another");
    expect(() => file.read("none")).toThrow("holds no tensor none");
    file.close();
  });

  it("gives floating-point numbers of any width as float32; other programs' numbers are stepped over", () => {
    const header = {
      half: { dtype: "F16", shape: [3], data_offsets: [0, 6] },
      brain: { dtype: "BF16", shape: [2], data_offsets: [6, 10] },
      double: { dtype: "F64", shape: [1], data_offsets: [10, 18] },
      flags: { dtype: "BOOL", shape: [2], data_offsets: [18, 20] },
    };
    const double = Buffer.alloc(8);
    double.writeDoubleLE(0.1);
    // 1.5, -2, the least half; 1.5, -1e30 nearly; 0.1
    const halves = Buffer.from([0x00, 0x3e, 0x00, 0xc0, 0x01, 0x00, 0xc0, 0x3f, 0x4a, 0xf1]);
    writeRaw(header, 0);
    appendFileSync(path, Buffer.concat([halves, double, Buffer.of(1, 0)]));
    const file = openSafetensors(path);
    const read = (name: string, length: number): number[] => {
      const into = new Float32Array(length);
      file.readFloats(name, into);
      return [...into];
    };
    expect(read("half", 3)).toEqual([1.5, -2, 2 ** -24]);
    expect(read("brain", 2)[0]).toBe(1.5);
    expect(read("brain", 2)[1] / -1e30).toBeCloseTo(1, 2);
    expect(read("double", 1)).toEqual([Math.fround(0.1)]);
    expect(() => read("flags", 2)).toThrow(/flags is BOOL 2; expected 2 floating-point numbers/);
    expect(() => read("half", 2)).toThrow(/half is F16 3; expected 2/);
    expect(() => file.read("half")).toThrow(/tensor half is F16, which can't be read here/);
    file.close();
  });

  it("is read back whatever its tensors", () => {
    const tensor = fc.array(fc.nat(4), { maxLength: 4 }).chain((shape) => {
      const length = shape.reduce((a, b) => a * b, 1);
      const floats = fc.float32Array({ minLength: length, maxLength: length });
      const bytes = fc.uint8Array({ minLength: length, maxLength: length });
      return fc.oneof(floats, bytes).map((data) => ({ shape, data }));
    });
    const names = fc.string({ minLength: 1 }).filter((name) => name !== "__metadata__" && name !== "__proto__");
    fc.assert(
      fc.property(fc.array(fc.tuple(names, tensor), { maxLength: 5 }), (list) => {
        write(new Map(list), {});
        expect(readSafetensors(path).tensors).toEqual(new Map(list));
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it("has its tensors at places divisible by 8, as other readers like them", () => {
    const [head] = encodeSafetensors(tensors, metadata);
    expect(head.length % 8).toBe(0);
  });

  it("can't claim a shape that its values don't have", () => {
    const wrong = new Map([["w", { shape: [2, 2], data: new Float32Array(3) }]]);
    expect(() => encodeSafetensors(wrong, {})).toThrow("w: shape 2x2 does not hold 3 values");
  });
});

describe("a damaged file is refused:", () => {
  const entry = (change: object) => ({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...change } });
  const two = (begin: number) => ({ ...entry({}), v: { dtype: "U8", shape: [4], data_offsets: [begin, begin + 4] } });
  const cases: Record<string, [() => void, RegExp]> = {
    "an empty file": [() => writeFileSync(path, ""), /0 bytes; the header's length alone takes 8/],
    "a header longer than the file": [
      () => writeFileSync(path, Buffer.from("ffff000000000000", "hex")),
      /header of 65535 bytes/,
    ],
    "a header longer than any": [
      () => writeFileSync(path, Buffer.alloc(16, 0xff)),
      /header of \d+ bytes in a file of 16/,
    ],
    "a header that is no JSON": [() => writeRaw("{w: 1}"), /header is not JSON/],
    "a header that is no text": [() => writeRaw("\u0000"), /header is not JSON/],
    "a header that is a list": [() => writeRaw([]), /header is no object/],
    "a header that is null": [() => writeRaw("null"), /header is no object/],
    "metadata that are no texts": [() => writeRaw({ __metadata__: { epoch: 3 } }), /metadata is not texts/],
    "metadata that are a text": [() => writeRaw({ __metadata__: "epoch" }), /metadata is not texts/],
    "a tensor that is a number": [() => writeRaw({ w: 3 }), /tensor w has no readable dtype/],
    "a dtype that is no text": [() => writeRaw(entry({ dtype: 7 }), 8), /tensor w has no readable dtype/],
    "a negative shape": [() => writeRaw(entry({ shape: [-2] }), 8), /tensor w has no readable/],
    "half a row": [() => writeRaw(entry({ shape: [1.5] }), 8), /tensor w has no readable/],
    "no place": [() => writeRaw(entry({ data_offsets: [0] }), 8), /tensor w has no readable/],
    "a place that ends before it starts": [
      () => writeRaw(entry({ data_offsets: [8, 0] }), 8),
      /tensor w has no readable/,
    ],
    "a shape of another size": [() => writeRaw(entry({ shape: [3] }), 8), /tensor w takes 8 bytes, not 12/],
    "a shape of more than there are numbers": [
      () => writeRaw(entry({ shape: [2 ** 40, 2 ** 40] }), 8),
      /takes 8 bytes, not/,
    ],
    "tensors cut off": [() => writeRaw(entry({}), 7), /tensor w ends at byte \d+ of \d+/],
    "bytes after the tensors": [() => writeRaw(entry({}), 9), /bytes; its tensors end at/],
    "tensors that overlap": [() => writeRaw(two(4), 8), /tensor v starts at byte \d+; the one before ends at/],
    "a gap between tensors": [() => writeRaw(two(12), 16), /tensor v starts at byte \d+; the one before ends at/],
  };
  it.each(Object.entries(cases))("%s", (_name, [damage, message]) => {
    damage();
    for (const read of [readSafetensors, readSafetensorsHeader]) {
      expect(() => read(path)).toThrow(message);
      expect(() => read(path)).toThrow(expect.objectContaining({ code: "damaged-file" }));
      expect(() => read(path)).toThrow(path);
    }
  });

  it("whatever end is cut off", () => {
    write(tensors, metadata);
    const whole = Buffer.concat(encodeSafetensors(tensors, metadata));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        writeFileSync(path, whole.subarray(0, length));
        expect(() => readSafetensors(path)).toThrow(/not a whole safetensors file/);
      }),
      { seed: 2, numRuns: 50 },
    );
  });
});

it.each(["F8_E8M0", "toString", "F7"])(
  "a tensor of the type %s, not known here, is stepped over until it is asked for",
  (dtype) => {
    const path = join(folder, "unknown.safetensors");
    const text = JSON.stringify({
      __metadata__: null,
      w: { dtype, shape: [5], data_offsets: [0, 3] },
      x: { dtype: "U8", shape: [1], data_offsets: [3, 4] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    writeFileSync(path, Buffer.concat([length, Buffer.from(text), Buffer.of(1, 2, 3, 4)]));
    const file = openSafetensors(path);
    expect(file.metadata).toEqual({});
    expect([...file.shapes.keys()]).toEqual(["w", "x"]);
    expect(() => file.readFloats("w", new Float32Array(5))).toThrow(
      /w is .*which can't be read|expected 5 floating-point numbers/,
    );
    file.close();
  },
);
