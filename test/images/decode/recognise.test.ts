import { expect, test } from "vitest";
import { recognise } from "#src/images/decode/recognise.js";

/** A TIFF's first directory, of numbers of 32 bits. */
function tiff(...entries: readonly (readonly [tag: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(8 + 2 + 12 * entries.length + 4);
  bytes.write("II*\0", "latin1");
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, value]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 10 + 12 * i);
    bytes.writeUInt16LE(4, 12 + 12 * i);
    bytes.writeUInt32LE(1, 14 + 12 * i);
    bytes.writeUInt32LE(value, 18 + 12 * i);
  }
  return bytes;
}

const box = (brand: string, ...others: string[]) => {
  const body = `ftyp${brand}\0\0\0\0${others.join("")}`;
  return Buffer.concat([Buffer.from([0, 0, 0, body.length + 4]), Buffer.from(body, "latin1"), Buffer.alloc(40)]);
};

test.each([
  [box("heic", "mif1"), "HEIC"],
  [box("mif1", "heic"), "HEIC"],
  [box("avif", "mif1"), "AVIF"],
  [box("mp42", "isom"), "video"],
  [box("qt  "), "video"],
  [box("crx ", "isom"), "camera raw"],
  [Buffer.from("II*\0\x10\0\0\0CR\x02\0", "latin1"), "camera raw"],
  [tiff([254, 1], [330, 200]), "camera raw"],
  [tiff([254, 0], [50706, 0x01040000]), "camera raw"],
  [tiff([254, 0], [330, 200]), "TIFF"],
  [tiff([254, 1]), "TIFF"],
  [tiff().subarray(0, 9), "TIFF"],
  [Buffer.from("%PDF-1.7\n"), "PDF"],
  [Buffer.from("\xff\x0a\x10\x20", "latin1"), "JPEG XL"],
  [Buffer.from("\0\0\0\x0cjP  \r\n\x87\n", "latin1"), "JPEG 2000"],
  [Buffer.from("\x1f\x8b\x08\0", "latin1"), "compressed file"],
  [Buffer.from("\xff\xd8", "latin1"), "unknown bytes"],
  [Buffer.from("P7\nWIDTH 2\n"), "text"],
] as const)("the first bytes of file number %# tell what it is", (bytes, kind) => {
  expect(recognise(bytes)).toBe(kind);
});
