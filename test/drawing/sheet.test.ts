import { describe, expect, test } from "vitest";
import { drawBars } from "#src/drawing/bars.js";
import { heatColour } from "#src/drawing/colours.js";
import { drawFilters } from "#src/drawing/filters.js";
import { drawMaps } from "#src/drawing/maps.js";
import { cropOf, enlarge, type Pixels, paint, type Rgb } from "#src/drawing/pixels.js";
import { drawSheet, inRows } from "#src/drawing/sheet.js";
import { sharp } from "#src/images/sharp.js";

const red: Rgb = [255, 0, 0];
const blue: Rgb = [0, 0, 255];
const white: Rgb = [255, 255, 255];
const grey: Rgb = [221, 221, 221];

async function decode(png: Uint8Array): Promise<Pixels> {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(3);
  return { width: info.width, height: info.height, data };
}

function at({ width, data }: Pixels, x: number, y: number): readonly number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

const tile = (colour: Rgb) => ({ pixels: paint(4, 2, () => colour) });

describe("a sheet of pictures", () => {
  test("has its tiles in rows with gaps between and around them, and grey where a picture is missing", async () => {
    const { width, height, png } = await drawSheet([[tile(red), tile(blue)], [{ pixels: undefined }]], {
      width: 4,
      height: 2,
      gap: 1,
    });
    const sheet = await decode(png);
    expect([width, height]).toEqual([11, 7]);
    expect([sheet.width, sheet.height]).toEqual([11, 7]);
    expect(at(sheet, 0, 0)).toEqual(white);
    expect([at(sheet, 1, 1), at(sheet, 4, 2)]).toEqual([red, red]);
    expect(at(sheet, 5, 1)).toEqual(white);
    expect([at(sheet, 6, 1), at(sheet, 9, 2)]).toEqual([blue, blue]);
    expect([at(sheet, 1, 4), at(sheet, 4, 5)]).toEqual([grey, grey]);
    expect(at(sheet, 6, 4)).toEqual(white);
  });

  test("sets the first of each row apart where that is asked for", async () => {
    const options = { width: 4, height: 2, gap: 1, firstApart: true };
    const sheet = await decode((await drawSheet([[tile(red), tile(blue)]], options)).png);
    expect(sheet.width).toBe(13);
    expect([at(sheet, 7, 1), at(sheet, 8, 1)]).toEqual([white, blue]);
  });

  test("writes captions below its tiles, whatever characters they have", async () => {
    const captions = ["plain", "<b> & \u0007 \uFFFF", "a name that is far too long for its tile"];
    const tiles = captions.map((caption) => ({ pixels: paint(40, 10, () => red), caption }));
    const { png } = await drawSheet(inRows(tiles, 2), { width: 40, height: 10, gap: 4 });
    const sheet = await decode(png);
    expect([sheet.width, sheet.height]).toEqual([2 * 44 + 4, 2 * (10 + 18 + 4) + 4]);
    for (const [left, top] of [
      [4, 14],
      [48, 14],
      [4, 46],
    ] as const) {
      const line = cropOf(sheet, { left, top, size: 18 });
      expect(
        line.data.some((value) => value < 128),
        `ink at ${left}, ${top}`,
      ).toBe(true);
    }
  });
});

describe("pixels", () => {
  const image = paint(3, 3, (x, y) => [10 * x, 10 * y, 250]);

  test("a crop is a square of an image", () => {
    expect(at(cropOf(image, { top: 1, left: 1, size: 2 }), 0, 1)).toEqual([10, 20, 250]);
  });

  test("a crop can be mirrored, and its colours shifted as far as colours go", () => {
    const crop = cropOf(image, { top: 0, left: 0, size: 2, mirrored: true, colourShift: [1, -5, 20] });
    expect([at(crop, 0, 0), at(crop, 1, 1)]).toEqual([
      [11, 0, 255],
      [1, 5, 255],
    ]);
  });

  test("an enlarged image has squares for pixels", () => {
    const large = enlarge(image, 2);
    expect([large.width, large.height]).toEqual([6, 6]);
    expect([at(large, 2, 4), at(large, 3, 5)]).toEqual([at(image, 1, 2), at(image, 1, 2)]);
  });
});

test("the first layer's filters are each scaled to their own range, black to white", async () => {
  const filter = (scale: number) => [0, 0, 0, scale, 0, 0, 0, scale, 0, 0, 0, scale]; // its last pixel
  const values = Float32Array.from([...filter(1), ...filter(100)]);
  const { width, height, png } = await drawFilters([2, 3, 2, 2], values);
  const sheet = await decode(png);
  expect([width, height]).toEqual([sheet.width, sheet.height]);
  expect([width, height]).toEqual([(2 * 3 + 1) * 12, 4 * 12]);
  expect([at(sheet, 12, 12), at(sheet, 35, 35)]).toEqual([[0, 0, 0], white]);
  expect([at(sheet, 48, 12), at(sheet, 71, 35)]).toEqual([[0, 0, 0], white]);
});

test("feature maps share one scale, in the order of their channels, and a vector becomes one map", async () => {
  const sheet = await decode(await drawMaps(Float32Array.of(0, 0, 0, 0, 2, 2, 2, 2), 2, 2, 2));
  expect([sheet.width, sheet.height]).toEqual([2 * 66 + 2, 66 + 2]);
  expect([at(sheet, 2, 2), at(sheet, 70, 2)]).toEqual([heatColour(0), heatColour(1)]);
  const vector = await decode(await drawMaps(Float32Array.of(1, 1, 1, 1, 1), 5, 1, 1));
  expect([vector.width, vector.height]).toEqual([3 * 170 + 4, 2 * 170 + 4]);
  expect([at(vector, 2, 2), at(vector, 500, 300)]).toEqual([heatColour(1), heatColour(0)]);
});

test("numbered maps have their numbers below them, in rows that are not wider than asked for", async () => {
  const six = Float32Array.from({ length: 24 }, () => 1);
  const plain = await decode(await drawMaps(six, 6, 2, 2, { tile: 32 }));
  const numbered = await decode(await drawMaps(six, 6, 2, 2, { tile: 32, isNumbered: true, widest: 80 }));
  expect([plain.width, plain.height]).toEqual([3 * 34 + 2, 2 * 34 + 2]);
  expect([numbered.width, numbered.height]).toEqual([2 * 34 + 2, 3 * (34 + 18) + 2]);
  const below = cropOf(numbered, { left: 2, top: 34, size: 18 });
  expect(below.data.some((value) => value > 200)).toBe(true);
});

test("bars of named values stand right of their common line where they are above 0, left of it where below", async () => {
  const image = await decode(await drawBars([...Array(3)].map((_, i) => ({ name: `class ${i}`, value: 4 - 4 * i }))));
  expect(image.height).toBe(3 * 24 + 16);
  const inRow = (row: number, colour: readonly number[]) =>
    Array.from({ length: image.width }, (_, x) => x).filter(
      (x) => `${at(image, x, 8 + 24 * row + 12)}` === `${colour}`,
    );
  const warm = inRow(0, [0xfc, 0x89, 0x61]);
  const cold = inRow(2, [0x32, 0x82, 0xbe]);
  expect(warm.length).toBeGreaterThan(200);
  expect(Math.abs(cold.length - warm.length)).toBeLessThan(3);
  expect(Math.min(...warm)).toBeGreaterThan(Math.max(...cold));
});

test("a heat map's colours run from black to light, warm above nothing and blue below", () => {
  expect(heatColour(0)).toEqual([0, 0, 4]);
  expect(heatColour(1)).toEqual([252, 253, 191]);
  expect(heatColour(7)).toEqual(heatColour(1));
  expect(heatColour(-1)).toEqual([190, 235, 255]);
  expect(heatColour(0.5)).toEqual([183, 55, 121]);
});
