import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodePicture } from "#src/images/decode/decode.js";
import { sharp } from "#src/images/sharp.js";
import { bombs } from "../../support/bombs.js";
import { difference, draw, drawJpeg } from "../../support/draw.js";
import { temporaryFolder } from "../../support/folders.js";
import { forms, otherForms } from "../../support/forms.js";
import { drawSome, prepareHere, readSkipped, useStore, write } from "../../support/stores.js";

/** What a store of one class holds: pictures by the names of their files. */
async function prepared(files: Readonly<Record<string, Uint8Array>>, options: { allowSvg?: boolean } = {}) {
  const source = temporaryFolder();
  for (const [name, content] of Object.entries(files)) write(source, { [`a/${name}`]: content });
  mkdirSync(join(source, "empty")); // beside it, the folder a is a class, and no mere wrapper of those in it
  const summary = await prepareHere({ source, valFraction: 0, ...options });
  const pictures = await useStore(summary.path, (store) =>
    Array.from(
      { length: store.count("train") },
      (_, i) => [store.fileName("train", i).slice("a/".length), Uint8Array.from(store.encoded("train", i))] as const,
    ),
  );
  const skipped = readSkipped(summary.skippedList).map(([name, reason]) => [name.slice("a/".length), reason]);
  return { pictures: new Map(pictures), skipped };
}

describe("whatever is in the files, each is in the store or in the list", () => {
  test("every form of picture is stored as it decodes", async () => {
    const files: Record<string, Uint8Array> = {};
    for (const [name, make] of Object.entries({ ...forms, ...otherForms })) files[`${name}.jpg`] = await make();
    const { pictures, skipped } = await prepared(files);
    expect(skipped).toEqual([]);
    for (const [name, bytes] of Object.entries(files))
      expect(difference(pictures.get(name) ?? new Uint8Array(), await decodePicture(bytes)), name).toBe(0);
  });

  test("all eight EXIF orientations are stored upright, of JPEG, PNG, WebP and TIFF", async () => {
    const upright = await decodePicture(await draw(7, 90, 61).png().toBuffer());
    const files: Record<string, Uint8Array> = {};
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8])
      for (const format of ["jpeg", "png", "webp", "tiff"] as const)
        files[`${orientation}.${format}`] = await sharp(await storedAs(orientation))
          .withMetadata({ orientation })
          .toFormat(format, { quality: 95, ...(format === "tiff" ? { compression: "lzw" } : {}) })
          .toBuffer();
    const { pictures } = await prepared(files);
    expect(pictures.size).toBe(32);
    for (const [name, picture] of pictures) expect(difference(picture, upright), name).toBeLessThan(3);
  });

  test("sizes of 1x1, 1x10000 and 10000x1", async () => {
    const size = (width: number, height: number) =>
      sharp({ create: { width, height, channels: 3, background: "#4080c0" } })
        .png()
        .toBuffer();
    const { pictures } = await prepared({
      "1.png": await size(1, 1),
      "2.png": await size(1, 10_000),
      "3.png": await size(10_000, 1),
    });
    expect(pictures.size).toBe(3);
    for (const picture of pictures.values()) expect([...picture.subarray(0, 3)]).toEqual([0x40, 0x80, 0xc0]);
  });

  test("what is damaged, bombs and what is no picture are listed with what is wrong", async () => {
    const whole = await drawJpeg(8, 400, 300);
    const broken = Buffer.from(whole);
    broken.fill(0xff, broken.indexOf(Buffer.from([0xff, 0xda])) + 214, broken.indexOf(Buffer.from([0xff, 0xda])) + 414);
    const files: Record<string, Uint8Array> = {
      "0 truncated.jpg": whole.subarray(0, whole.length / 2),
      "1 broken scan.jpg": broken,
      "2 empty.jpg": new Uint8Array(),
      "3 html.jpg": Buffer.from("<!DOCTYPE html><html><body>404</body></html>"),
      "4 text.jpg": Buffer.from("The quick brown fox"),
      "5 drawing.svg": Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      "6 zeros.jpg": new Uint8Array(1000),
      "7 good.jpg": whole,
    };
    for (const [name, make] of Object.entries(bombs)) files[`bomb ${name}.jpg`] = await make();
    const { pictures, skipped } = await prepared(files);
    expect([...pictures.keys()]).toEqual(["7 good.jpg"]);
    expect(skipped.slice(0, 7)).toEqual([
      ["0 truncated.jpg", expect.stringMatching(/^truncated JPEG \(\d\.\d kB\)$/)],
      ["1 broken scan.jpg", expect.stringMatching(/^(truncated|damaged) JPEG /)],
      ["2 empty.jpg", "empty file"],
      ["3 html.jpg", "not a picture: HTML"],
      ["4 text.jpg", "not a picture: text"],
      ["5 drawing.svg", "SVG can refer to other files and is read only when asked for"],
      ["6 zeros.jpg", "not a picture: unknown bytes"],
    ]);
    expect(skipped.slice(7).map(([name]) => name)).toEqual(
      Object.keys(bombs)
        .map((name) => `bomb ${name}.jpg`)
        .sort(),
    );
    for (const [name, reason] of skipped.slice(7)) expect(reason, name).toMatch(/ of more than .*; not decoded$/);
  });

  test("SVG when asked for, without what it refers to", async () => {
    const secret = join(temporaryFolder(), "secret.png");
    await draw(1, 64, 64).toFile(secret);
    const svg = (content: string) =>
      Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="64">' +
          `<rect width="64" height="64" fill="#f00"/>${content}</svg>`,
      );
    const files = {
      "1.svg": svg(""),
      "2.svg": svg(`<image width="64" height="64" xlink:href="file://${secret}"/>`),
    };
    const { pictures } = await prepared(files, { allowSvg: true });
    for (const picture of pictures.values()) expect([...picture.subarray(0, 3)]).toEqual([255, 0, 0]);
    expect(pictures.size).toBe(2);
  });

  test("names with line breaks, emoji, quotes, 255 bytes and ..", async () => {
    const names = [
      "a\nb.jpg",
      "🐟 ü.jpg",
      'say "x", y.jpg',
      `${"x".repeat(251)}.jpg`,
      "a..b.jpg",
      "..a/c.jpg",
      "..b/..jpg.jpg",
    ];
    const files: Record<string, Uint8Array> = {};
    for (const [i, name] of names.entries()) {
      files[`good/${name}`] = await drawJpeg(i + 1);
      files[`bad/${name}`] = new Uint8Array();
    }
    const { pictures, skipped } = await prepared(files);
    const visible = names.filter((name) => !name.startsWith("..")); // hidden, as whatever begins with a dot
    expect([...pictures.keys()].sort()).toEqual(visible.map((name) => `good/${name}`).sort());
    expect(skipped.sort()).toEqual(visible.map((name) => [`bad/${name}`, "empty file"]).sort());
  });

  test.skipIf(process.platform !== "linux")("a name that is not UTF-8, links in loops, pipes and devices", async () => {
    const source = temporaryFolder();
    write(source, { ...(await drawSome("a/", 2, 1)), ...(await drawSome("b/deep/er/", 2, 2)) });
    const loops = { loop: ".", "b/up": "..", "b/deep/self": "self", "b/deep/self.jpg": "self.jpg", "b/root": "/" };
    for (const [name, target] of Object.entries(loops)) symlinkSync(target, join(source, name));
    symlinkSync("../b", join(source, "a/b"));
    symlinkSync("../a", join(source, "b/a"));
    const odd = Buffer.concat([Buffer.from(join(source, "odd-")), Buffer.from([0xff])]);
    mkdirSync(odd);
    spawnSync("mkfifo", [join(source, "a/pipe.jpg")]);
    symlinkSync("/dev/zero", join(source, "a/zero.jpg"));
    const { info, classes, skippedList } = await prepareHere({ source, valFraction: 0 });
    expect(classes).toEqual(["a", "b"]);
    expect(info.counts.train).toBe(2 + 2 + 2 + 2); // each class has the other in it by a link
    expect(readSkipped(skippedList)).toEqual([
      ["a/b/deep/self.jpg", "a link that leads to itself"],
      ["a/pipe.jpg", "neither a file nor a folder"],
      ["a/zero.jpg", "neither a file nor a folder"],
      ["b/deep/self.jpg", "a link that leads to itself"],
      ["b/a/pipe.jpg", "neither a file nor a folder"],
      ["b/a/zero.jpg", "neither a file nor a folder"],
      ["odd-\ufffd", "its name is not UTF-8; rename it"],
    ]);
  });
});

test.skipIf(process.platform === "win32").each(["photos.tar", "photos.parquet"])(
  "a pipe named %s is refused, not waited for",
  async (name) => {
    const source = temporaryFolder();
    spawnSync("mkfifo", [join(source, name)]);
    await expect(prepareHere({ source })).rejects.toThrow(/not a regular file/);
  },
);

test.skipIf(process.platform === "win32")("so is one named classes.txt beside the pictures", async () => {
  const source = temporaryFolder();
  write(source, await drawSome("a/", 2));
  spawnSync("mkfifo", [join(source, "classes.txt")]);
  await expect(prepareHere({ source })).rejects.toThrow(/classes\.txt: not a regular file/);
});

/** Drawing 7 as a camera held in that way stores it. */
async function storedAs(orientation: number): Promise<Buffer> {
  const upright = await draw(7, 90, 61).png().toBuffer();
  const back = { 1: 0, 2: 0, 3: 180, 4: 0, 5: 90, 6: 270, 7: 270, 8: 90 }[orientation] ?? 0;
  const turned = sharp(await sharp(upright).rotate(back).png().toBuffer());
  if (orientation === 2 || orientation === 5 || orientation === 7) turned.flop();
  if (orientation === 4) turned.flip();
  return turned.png().toBuffer();
}

/** A process whose reading of files obeys permissions, which root's doesn't. */
function permissionsHold(): readonly string[] | undefined {
  if (process.platform === "win32") return undefined;
  if (process.getuid?.() !== 0) return [];
  const humbled = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"];
  return spawnSync(humbled[0], [...humbled.slice(1), "true"]).status === 0 ? humbled : undefined;
}

describe.skipIf(permissionsHold() === undefined)(
  "permissions (on Windows there are others; as root setpriv is needed)",
  () => {
    /** Prepares in a process of its own, which first runs `atFirst` when the pictures are listed. */
    function run(source: string, atFirst: string) {
      const out = join(temporaryFolder(), "store");
      const program = `
      import { chmodSync } from "node:fs";
      import { prepare } from ${JSON.stringify(new URL("../../../dist/store/preparing/prepare.js", import.meta.url).href)};
      let begun = false;
      await prepare({
        source: ${JSON.stringify(source)}, out: ${JSON.stringify(out)}, valFraction: 0, workers: 1, maxBad: 1,
        onEvent({ phase }) {
          if (begun || phase !== "preparing") return;
          begun = true;
          ${atFirst}
        },
      });
    `;
      const command = [...(permissionsHold() ?? []), process.execPath, "--input-type=module", "-e", program];
      const { status, stderr } = spawnSync(command[0], command.slice(1), { encoding: "utf8" });
      expect(status, stderr).toBe(0);
      return readSkipped(join(out, "skipped.csv"));
    }

    test("a file that loses its permission while it runs, and a folder without", async () => {
      const source = temporaryFolder();
      write(source, {
        ...(await drawSome("a/", 40, 1)),
        ...(await drawSome("b/", 2, 2)),
        ...(await drawSome("c/", 2, 3)),
      });
      const close = (name: string) => `chmodSync(${JSON.stringify(join(source, name))}, 0);`;
      spawnSync("chmod", ["0", join(source, "b")]);
      const skipped = run(source, close("a/0039.jpg") + close("c"));
      spawnSync("chmod", ["700", join(source, "b"), join(source, "c")]);
      expect(skipped).toEqual([
        ["a/0039.jpg", "no permission to read it"],
        ["b", "no permission to read it"],
        ["c/0000.jpg", "no permission to read it"],
        ["c/0001.jpg", "no permission to read it"],
      ]);
    });
  },
);
