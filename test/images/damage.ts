import fc from "fast-check";

/** What is done to a file: some bytes set, a part removed, a part said twice, the end cut off. */
export const damage = fc.record({
  edits: fc.array(fc.tuple(fc.nat({ max: 1 << 16 }), fc.nat({ max: 255 })), { maxLength: 12 }),
  removed: fc.option(fc.tuple(fc.nat({ max: 1 << 16 }), fc.nat({ max: 200 }))),
  repeated: fc.option(fc.tuple(fc.nat({ max: 1 << 16 }), fc.nat({ max: 200 }))),
  kept: fc.double({ min: 0.05, max: 1, noNaN: true }),
});

export type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

export function damaged(whole: Uint8Array, { edits, removed, repeated, kept }: Damage): Uint8Array {
  let bytes = Buffer.from(whole);
  for (const [at, value] of edits) bytes[at % bytes.length] = value;
  if (removed !== null) {
    const at = removed[0] % bytes.length;
    bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + removed[1])]);
  }
  if (repeated !== null && bytes.length > 0) {
    const at = repeated[0] % bytes.length;
    const part = bytes.subarray(at, at + repeated[1]);
    bytes = Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
  }
  return bytes.subarray(0, Math.ceil(bytes.length * kept));
}
