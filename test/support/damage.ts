import fc from "fast-check";
import { draw } from "./draw.js";
import { tries } from "./effort.js";

/** How often each property is tried; FUZZ_RUNS=10000 for a long night. */
export const RUNS = Number(process.env.FUZZ_RUNS ?? tries({ few: 200, many: 2000 }));

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

/** As they come, or behind the first bytes of a picture. */
export const randomBytes = fc
  .tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 2000 }))
  .map(([start, rest]) => Buffer.concat([Buffer.from(start, "latin1"), rest]));

/** A small picture of every form. */
export const drawForms = (): Promise<Buffer[]> =>
  Promise.all([
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
