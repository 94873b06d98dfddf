import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodePicture } from "#src/images/decode/decode.js";
import { readNetpbm } from "#src/images/decode/netpbm.js";
import { draw } from "../../support/draw.js";

const [width, height] = [300, 280];
const rgb = await draw(5, width, height).raw().toBuffer();
const grey = await draw(5, width, height).greyscale().raw().toBuffer();

const file = (header: string, samples: Buffer | string) => Buffer.concat([Buffer.from(header), Buffer.from(samples)]);
const wide = (samples: Buffer) => Buffer.from(Array.from(samples).flatMap((value) => [value, value])); // value * 257
const text = (samples: Buffer) => Array.from(samples).join("\n");

test.each([
  ["P6, 8 bits", file(`P6\n${width} ${height}\n255\n`, rgb), 3],
  ["P6, 16 bits", file(`P6 ${width} ${height} 65535\n`, wide(rgb)), 3],
  ["P6 with comments", file(`P6\n# made by hand\n${width} # columns\n${height}\n255\n`, rgb), 3],
  ["P3, text", file(`P3\n${width} ${height}\n255\n`, text(rgb)), 3],
  ["P5, 8 bits", file(`P5\n${width} ${height}\n255\n`, grey), 1],
  ["P5, 16 bits", file(`P5\n${width} ${height}\n65535\n`, wide(grey)), 1],
  ["P2, text", file(`P2\n${width} ${height}\n255\n`, text(grey)), 1],
] as const)("a Netpbm file of kind %s shows what the same PNG shows", async (_, bytes, channels) => {
  const picture = channels === 3 ? draw(5, width, height) : draw(5, width, height).greyscale();
  expect(Buffer.from(await decodePicture(bytes)).equals(await decodePicture(await picture.png().toBuffer()))).toBe(
    true,
  );
});

test("bitmaps have a bit for each pixel, 1 being black, in rows of whole bytes", () => {
  const expected = { width: 10, height: 2, channels: 1 };
  const data = Uint8Array.of(0, 255, 255, 255, 255, 255, 255, 255, 255, 0, ...Array(10).fill(255));
  expect(readNetpbm(Buffer.from([...Buffer.from("P4 10 2\n"), 0x80, 0x40, 0, 0]))).toEqual({ ...expected, data });
  expect(readNetpbm(Buffer.from(`P1 10 2\n1000000001\n${"0 ".repeat(10)}`))).toEqual({ ...expected, data });
});

test("samples are scaled from their largest value to 255", () => {
  expect([...readNetpbm(Buffer.from("P2 4 1 3 0 1 2 3")).data]).toEqual([0, 85, 170, 255]);
});

test.each([
  ["cut off", file(`P6\n${width} ${height}\n255\n`, rgb.subarray(0, 1000)), /truncated Netpbm/],
  ["cut off in its header", Buffer.from("P6 30"), /truncated Netpbm/],
  ["of no size", Buffer.from("P5 0 4 255\n"), /damaged Netpbm.*0x4/],
  ["of letters", Buffer.from("P2 2 2 255 a b c d"), /damaged Netpbm.*no number/],
  ["of a trillion pixels", Buffer.from("P6 999999 999999 255\nabc"), /million pixels; not decoded/],
] as const)("a Netpbm file %s is refused, and the fault named", async (_, bytes, message) => {
  await expect(decodePicture(bytes)).rejects.toMatchObject({
    code: "unreadable-picture",
    message: expect.stringMatching(message),
  });
});

test("whatever follows a Netpbm file's first letters, it is read or refused in words", () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 3, 4, 5, 6), fc.uint8Array({ maxLength: 60 }), (kind, bytes) => {
      try {
        const { data, channels, ...size } = readNetpbm(Buffer.concat([Buffer.from(`P${kind} `), bytes]));
        expect(data).toHaveLength(size.width * size.height * channels);
      } catch (error) {
        expect((error as Error).message).toMatch(/premature end|can't be|no number|pixel limit/);
      }
    }),
  );
});
