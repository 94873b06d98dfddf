import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodePicture, type JpegDecoder } from "#src/images/decode/decode.js";
import { findTurbojpeg } from "#src/images/decode/turbojpeg.js";
import { loadPicture } from "#src/images/picture.js";
import { sharp } from "#src/images/sharp.js";
import { DEFAULT_PICTURE_SIZE, pictureBytes } from "#src/network/picture.js";
import { bombs } from "../support/bombs.js";
import { difference, draw, drawJpeg } from "../support/draw.js";
import { temporaryFolder } from "../support/folders.js";
import { asYcck, drawAnimation, drawCmyk, forms } from "../support/forms.js";

const shared = new URL("../../../shared/", import.meta.url).pathname;
const golden = process.env.GOLDEN_DIR ?? new URL("../golden/", import.meta.url).pathname;
const decoders: readonly JpegDecoder[] = findTurbojpeg() === undefined ? ["sharp"] : ["sharp", "libjpeg-turbo"];

test.skipIf(findTurbojpeg() !== undefined)("libjpeg-turbo is not installed here: its tests are left out", () => {});

describe.skipIf(!existsSync(join(shared, "data/photos")))(
  "photos, against Pillow with Lanczos (needs ../shared)",
  () => {
    const names = readdirSync(join(golden, "preprocessed"));
    test.each(names.flatMap((name) => decoders.map((decoder) => [name, decoder] as const)))(
      "%s by %s",
      async (name, jpegDecoder) => {
        const expected = await sharp(join(golden, "preprocessed", name))
          .removeAlpha()
          .raw()
          .toBuffer();
        const photo = join(shared, "data/photos", name.replace(".png", ".JPEG"));
        const error = difference(await decodePicture(readFileSync(photo), { jpegDecoder }), expected);
        expect(error).toBeLessThan(1); // the tolerance is 3; resamplers agree better than that
      },
    );

    test("the two decoders agree on every photo", async () => {
      for (const name of readdirSync(join(shared, "data/photos"))) {
        const bytes = readFileSync(join(shared, "data/photos", name));
        const [first, ...others] = await Promise.all(
          decoders.map((jpegDecoder) => decodePicture(bytes, { jpegDecoder })),
        );
        for (const other of others) expect(difference(other, first), name).toBeLessThan(1);
      }
    });
  },
);

describe("forms of pictures", () => {
  test.each(Object.keys(forms))("%s shows the same", async (name) => {
    const expected = await decodePicture(await draw(1).png().toBuffer());
    expect(difference(await decodePicture(await forms[name]()), expected)).toBeLessThan(4);
  });

  test.each([
    [400, 400],
    [501, 374],
    [300, 1200],
    [2400, 1600],
  ])(
    "a picture of %ix%i is shrunk to the same pixels, whichever format it lies in unchanged",
    async (width, height) => {
      const stripes = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
        (Math.floor(i / 3) % width) % 7 < 3 ? 255 : i % 90,
      );
      const whole = sharp(stripes, { raw: { width, height, channels: 3 } });
      const expected = await decodePicture(await whole.clone().png().toBuffer());
      for (const form of [
        whole.clone().webp({ lossless: true, effort: 0 }),
        whole.clone().tiff({ compression: "lzw" }),
      ])
        expect(Buffer.from(await decodePicture(await form.toBuffer())).equals(expected)).toBe(true);
    },
  );

  test.each(decoders)("greyscale becomes three equal channels (%s)", async (jpegDecoder) => {
    const bytes = await draw(2).greyscale().jpeg().toBuffer();
    const picture = await decodePicture(bytes, { jpegDecoder });
    expect(picture.every((value, i) => value === picture[i - (i % 3)])).toBe(true);
  });

  test("16-bit grey with alpha", async () => {
    const bytes = await draw(2).toColourspace("grey16").ensureAlpha().png().toBuffer();
    const expected = await decodePicture(await draw(2).greyscale().png().toBuffer());
    expect(difference(await decodePicture(bytes), expected)).toBeLessThan(2);
  });

  test("transparency becomes white", async () => {
    const clear = { width: 300, height: 300, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const;
    const picture = await decodePicture(await sharp({ create: clear }).png().toBuffer());
    expect(picture.every((value) => value === 255)).toBe(true);
  });

  test.each(decoders)("CMYK and YCCK JPEG (%s)", async (jpegDecoder) => {
    const cmyk = await drawCmyk();
    const expected = await decodePicture(await drawJpeg(3));
    expect(difference(await decodePicture(cmyk, { jpegDecoder }), expected)).toBeLessThan(25);
    expect(cmyk.indexOf("Adobe")).toBeGreaterThan(0);
    const ycck = await decodePicture(asYcck(cmyk), { jpegDecoder });
    expect(ycck).toHaveLength(pictureBytes(DEFAULT_PICTURE_SIZE));
    expect(difference(ycck, expected)).toBeGreaterThan(25); // it was taken at its word
  });

  test("of an animation the first frame", async () => {
    const frames = await drawAnimation();
    expect((await sharp(frames).metadata()).pages).toBe(2);
    const expected = await decodePicture(await draw(4).png().toBuffer());
    expect(difference(await decodePicture(frames), expected)).toBeLessThan(4);
  });

  test.each(decoders)("a foreign colour profile is converted (%s)", async (jpegDecoder) => {
    const bytes = await draw(6).withIccProfile("p3").jpeg({ quality: 95 }).toBuffer();
    const expected = await decodePicture(await drawJpeg(6));
    expect(difference(await decodePicture(bytes, { jpegDecoder }), expected)).toBeLessThan(3);
  });
});

describe("orientation and geometry", () => {
  const cases = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((orientation) =>
    decoders.flatMap((decoder) =>
      (
        [
          [400, 301],
          [90, 61],
        ] as const
      ).map((size) => [orientation, decoder, ...size] as const),
    ),
  );
  test.each(cases)("EXIF orientation %i by %s, %ix%i", async (orientation, jpegDecoder, width, height) => {
    const turned =
      { 1: [0], 2: [0, "flop"], 3: [180], 4: [0, "flip"], 5: [90, "flop"], 6: [90], 7: [90, "flip"], 8: [270] }[
        orientation
      ] ?? [];
    const stored = await draw(7, width, height)
      .jpeg({ quality: 95, chromaSubsampling: "4:4:4" })
      .withMetadata({ orientation })
      .toBuffer();
    const rotated = await sharp(stored, { autoOrient: false }).rotate(Number(turned[0])).png().toBuffer();
    const upright = sharp(rotated);
    if (turned[1] === "flop") upright.flop();
    if (turned[1] === "flip") upright.flip();
    const expected = await decodePicture(await upright.png().toBuffer());
    expect(difference(await decodePicture(stored, { jpegDecoder }), expected)).toBeLessThan(1.5);
  });

  test.each(decoders)("orientation 0 counts as none (%s)", async (jpegDecoder) => {
    const stored = await draw(7).jpeg().withMetadata({ orientation: 8 }).toBuffer();
    const tag = stored.indexOf(Buffer.from([0x12, 0x01])) >= 0 ? Buffer.from([0x12, 0x01]) : Buffer.from([0x01, 0x12]);
    const at = stored.indexOf(tag) + 8;
    const none = Buffer.from(stored);
    none.fill(0, at, at + 2);
    expect(
      difference(await decodePicture(none, { jpegDecoder }), await decodePicture(await draw(7).jpeg().toBuffer())),
    ).toBeLessThan(1);
  });

  test.each([
    [1, 1],
    [1, 10_000],
    [10_000, 1],
    [255, 257],
    [256, 256],
    [3000, 400],
  ])("%ix%i", async (width, height) => {
    const bytes = await sharp({ create: { width, height, channels: 3, background: "#4080c0" } })
      .png()
      .toBuffer();
    const picture = await decodePicture(bytes);
    expect(picture).toHaveLength(pictureBytes(DEFAULT_PICTURE_SIZE));
    const [red, green, blue] = [0x40, 0x80, 0xc0];
    expect(picture.every((value, i) => value === [red, green, blue][i % 3])).toBe(true);
  });

  test("the centre of the longer side is kept", async () => {
    const left = await sharp({ create: { width: 256, height: 256, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    const wide = await sharp({ create: { width: 768, height: 256, channels: 3, background: "blue" } })
      .composite([{ input: left, left: 256, top: 0 }])
      .png()
      .toBuffer();
    const picture = await decodePicture(wide);
    expect(picture.every((value, i) => value === (i % 3 === 0 ? 255 : 0))).toBe(true);
  });
});

/** Ten by ten grey floating-point numbers: the header, one directory, the numbers. */
function floatTiff(values: Float32Array): Buffer {
  const tags = [
    [256, 10], // width
    [257, 10], // height
    [258, 32], // bits a sample
    [259, 1], // not compressed
    [262, 1], // black is 0
    [273, 134], // where the numbers are
    [277, 1], // samples a pixel
    [278, 10], // rows a strip
    [279, 400], // bytes of the strip
    [339, 3], // floating point
  ] as const;
  const head = Buffer.alloc(134);
  head.write("II*\0", "latin1");
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag, value], i) => {
    const at = 10 + 12 * i;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(3, at + 2);
    head.writeUInt32LE(1, at + 4);
    head.writeUInt16LE(value, at + 8);
  });
  return Buffer.concat([head, Buffer.from(values.buffer)]);
}

describe("what is refused", () => {
  const fault = async (bytes: Uint8Array): Promise<string> => {
    const faults = new Set<string>();
    for (const jpegDecoder of decoders)
      faults.add(
        await decodePicture(bytes, { jpegDecoder }).then(
          () => "nothing wrong",
          (error: Error) => error.message,
        ),
      );
    expect(faults.size, "whatever decodes says the same").toBe(1);
    return [...faults][0];
  };

  test("truncated JPEG", async () => {
    const whole = await drawJpeg(8, 400, 300);
    for (const share of [0.3, 0.6, 0.95])
      expect(await fault(whole.subarray(0, whole.length * share))).toMatch(/^truncated JPEG \(\d+(\.\d)? kB\)$/);
  });

  test("JPEG with a broken scan", async () => {
    const bytes = await drawJpeg(8, 400, 300);
    const scan = bytes.indexOf(Buffer.from([0xff, 0xda])) + 14;
    bytes.fill(0xff, scan + 200, scan + 400);
    expect(await fault(bytes)).toMatch(/JPEG/);
    expect(await fault(bytes)).not.toBe("nothing wrong");
  });

  test.each(["png", "webp", "gif", "tiff"] as const)("truncated %s", async (format) => {
    const whole = await draw(8, 400, 300).toFormat(format).toBuffer();
    expect(await fault(whole.subarray(0, whole.length / 2))).not.toBe("nothing wrong");
  });

  test("TIFF of floating-point numbers, whose brightness nobody knows", async () => {
    const values = Float32Array.from({ length: 100 }, (_, i) => i / 100);
    await expect(decodePicture(floatTiff(values))).rejects.toThrow(
      "TIFF of floating-point numbers is not read; save it in another form, such as JPEG or PNG",
    );
  });

  test("no picture at all", async () => {
    expect(await fault(new Uint8Array())).toBe("empty file");
    expect(await fault(Buffer.from("<!DOCTYPE html><html><body>404</body></html>"))).toBe("not a picture: HTML");
    expect(await fault(Buffer.from("The quick brown fox"))).toBe("not a picture: text");
    expect(await fault(new Uint8Array(1000))).toBe("not a picture: unknown bytes");
    expect(await fault(Buffer.from("\xff\xd8\xff", "latin1"))).toMatch(/JPEG/);
  });

  test("SVG, unless asked for", async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#f00"/></svg>',
    );
    expect(await fault(svg)).toMatch(/^SVG can refer to other files/);
    expect((await decodePicture(svg, { allowSvg: true })).subarray(0, 3)).toEqual(new Uint8Array([255, 0, 0]));
  });

  test.each(Object.keys(bombs))("a bomb, %s, before anything is decoded", async (name) => {
    const bytes = await bombs[name]();
    expect(bytes.length).toBeLessThan(20_000);
    const before = process.memoryUsage().rss;
    expect(await fault(bytes)).toMatch(
      name.includes("WebP")
        ? /^WebP of more than 16383 pixels a side; not decoded$/
        : /^\w+ of more than 268\.\d+ million pixels; not decoded$/,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });
});

describe("files", () => {
  const folder = temporaryFolder();

  test("errors name the file and the fault", async () => {
    const path = join(folder, "0012.jpg");
    await expect(loadPicture(path)).rejects.toThrow(`${path}: no such file`);
    const whole = await drawJpeg(1, 300, 300);
    writeFileSync(path, whole.subarray(0, 1200));
    await expect(loadPicture(path)).rejects.toMatchObject({
      code: "unreadable-picture",
      message: `${path}: truncated JPEG (1.2 kB)`,
    });
    await expect(loadPicture(folder)).rejects.toThrow(`${folder}: a folder, not a picture`);
  });

  test("a path and its bytes give the same", async () => {
    const path = join(folder, "picture.jpg");
    writeFileSync(path, await drawJpeg(1));
    expect(difference(await loadPicture(path), await loadPicture(readFileSync(path)))).toBe(0);
  });
});
