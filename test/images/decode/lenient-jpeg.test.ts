import { expect, test } from "vitest";
import { decodePicture, type JpegDecoder } from "#src/images/decode/decode.js";
import { withoutHarmlessFaults } from "#src/images/decode/lenient-jpeg.js";
import { findTurbojpeg } from "#src/images/decode/turbojpeg.js";
import { draw } from "../../support/draw.js";

const decoders: readonly JpegDecoder[] = findTurbojpeg() === undefined ? ["sharp"] : ["sharp", "libjpeg-turbo"];

const baseline = withJfif(await draw(4).jpeg({ quality: 90 }).toBuffer());
const progressive = withJfif(await draw(4).jpeg({ quality: 90, progressive: true }).toBuffer());

function withJfif(jpeg: Buffer): Buffer {
  return insert(jpeg, 2, 0xff, 0xe0, 0, 16, ...Buffer.from("JFIF\0"), 1, 1, 0, 0, 1, 0, 1, 0, 0);
}

/** Where the first segment with this marker begins. */
function segment(jpeg: Buffer, marker: number): number {
  for (let at = 2; at + 4 <= jpeg.length; at += 2 + jpeg.readUInt16BE(at + 2)) if (jpeg[at + 1] === marker) return at;
  throw new Error(`no segment ${marker.toString(16)}`);
}

function insert(jpeg: Buffer, at: number, ...bytes: number[]): Buffer {
  return Buffer.concat([jpeg.subarray(0, at), Buffer.from(bytes), jpeg.subarray(at)]);
}

function change(jpeg: Buffer, at: number, ...bytes: number[]): Buffer {
  const changed = Buffer.from(jpeg);
  changed.set(bytes, at);
  return changed;
}

function scanParameters(jpeg: Buffer): number {
  const at = segment(jpeg, 0xda);
  return at + 5 + 2 * jpeg.readUInt8(at + 4);
}

/** An Adobe segment behind the JFIF one's place; without JFIF, its code decides about the colours. */
function withAdobeTransform(jpeg: Buffer, code: number): Buffer {
  const app0 = segment(jpeg, 0xe0);
  const without = Buffer.concat([jpeg.subarray(0, app0), jpeg.subarray(app0 + 2 + jpeg.readUInt16BE(app0 + 2))]);
  return insert(without, 2, 0xff, 0xee, 0, 14, ...Buffer.from("Adobe"), 0, 100, 0, 0, 0, 0, code);
}

const harmless: Readonly<Record<string, Buffer>> = {
  "scan parameters of 0 0 0, as Samsung's cameras write": change(baseline, scanParameters(baseline), 0, 0, 0),
  "scan parameters of 1 5 17": change(baseline, scanParameters(baseline), 1, 5, 0x11),
  "two bytes before the quantisation tables, as Pixel cameras write": insert(baseline, segment(baseline, 0xdb), 0, 0),
  "bytes before the frame": insert(baseline, segment(baseline, 0xc0), 1, 2, 3),
  "bytes before the Huffman tables": insert(baseline, segment(baseline, 0xc4), 0xff, 0, 9),
  "bytes before the scan": insert(baseline, segment(baseline, 0xda), 0, 0, 0, 0),
  "bytes before the frame of a progressive file": insert(progressive, segment(progressive, 0xc2), 1, 2, 3),
  "an unknown JFIF revision": change(baseline, segment(baseline, 0xe0) + 9, 7),
  "an unknown Adobe colour transform": withAdobeTransform(baseline, 9),
  "all of it at once": insert(
    change(change(baseline, scanParameters(baseline), 0, 0, 0), segment(baseline, 0xe0) + 9, 0),
    segment(baseline, 0xdb),
    5,
  ),
};

test.each(
  Object.entries(harmless).flatMap(([name, bytes]) => decoders.map((decoder) => [name, decoder, bytes] as const)),
)("a whole JPEG with %s decodes to its pixels by %s", async (name, jpegDecoder, bytes) => {
  const expected = await decodePicture(name.includes("progressive") ? progressive : baseline, { jpegDecoder });
  expect(bytes.equals(baseline)).toBe(false);
  expect(Buffer.from(await decodePicture(bytes, { jpegDecoder })).equals(expected)).toBe(true);
});

test.each(decoders)(
  "a JPEG that lost data is refused, also where harmless faults stand beside it (%s)",
  async (jpegDecoder) => {
    const end = segment(baseline, 0xda) + 14;
    const lost = Buffer.concat([baseline.subarray(0, end + 400), baseline.subarray(baseline.length - 2)]);
    for (const bytes of [lost, change(lost, scanParameters(lost), 0, 0, 0), insert(lost, segment(lost, 0xdb), 0, 0)])
      await expect(decodePicture(bytes, { jpegDecoder })).rejects.toMatchObject({ code: "unreadable-picture" });
  },
);

test("a JPEG that is as the standard wants it is left alone, progressive ones' scan parameters too", () => {
  expect(withoutHarmlessFaults(baseline)).toBeUndefined();
  expect(withoutHarmlessFaults(progressive)).toBeUndefined();
});

test("bytes that are no whole JPEG header are left alone, wherever they end", () => {
  const faulty = change(baseline, scanParameters(baseline), 0, 0, 0);
  for (let length = 0; length < segment(faulty, 0xda) + 14; length++)
    expect(() => withoutHarmlessFaults(faulty.subarray(0, length))).not.toThrow();
});

test.skipIf(findTurbojpeg() === undefined)(
  "a file with a faulty header leaves the decoder as it was for those after it",
  async () => {
    const turbojpeg = findTurbojpeg();
    const whole = await draw(7, 900, 700).jpeg({ quality: 90 }).toBuffer();
    const expected = turbojpeg?.readHeader(whole);
    expect(expected).toMatchObject({ width: 900, height: 700 });
    const first = await decodePicture(whole);
    for (const fault of [
      insert(whole, segment(whole, 0xdb), 0, 0),
      whole.subarray(0, 100),
      Buffer.from("no picture"),
    ]) {
      await decodePicture(fault).catch(() => {});
      expect(turbojpeg?.readHeader(fault)).toBeUndefined();
      expect(turbojpeg?.readHeader(whole)).toEqual(expected);
      expect(Buffer.from(await decodePicture(whole)).equals(first)).toBe(true);
    }
  },
);
