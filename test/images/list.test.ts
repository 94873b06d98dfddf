import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { listPictures as listWith, walk } from "#src/images/list.js";
import { OtherFiles } from "#src/images/other-files.js";
import { describeFault } from "#src/images/picture.js";
import { temporaryFolder } from "../support/folders.js";
import { unwatched } from "../support/task.js";

const listPictures = (paths: readonly string[], task: typeof unwatched) => listWith(paths, new OtherFiles(), task);

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function put(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), "");
  }
}

test("pictures below a folder, in code point order; other files and hidden ones left out", async () => {
  put(
    "b.jpg",
    "B.JPEG",
    "a/2.png",
    "a/10.png",
    "notes.txt",
    ".hidden.jpg",
    ".cache/x.jpg",
    "é.webp",
    "z/deep/er/x.tif",
  );
  const names = ["B.JPEG", "a/10.png", "a/2.png", "b.jpg", "z/deep/er/x.tif", "é.webp"];
  expect(await listPictures([folder], unwatched)).toEqual(names.map((name) => join(folder, name)));
});

test("a file named is listed whatever its name is; order and repeats are the caller's", async () => {
  put("picture", "a.jpg");
  const [odd, plain] = [join(folder, "picture"), join(folder, "a.jpg")];
  expect(await listPictures([plain, odd, plain], unwatched)).toEqual([plain, odd, plain]);
});

test("names with line breaks, emoji, 255 bytes", async () => {
  const names = ["a\nb.jpg", "🐟.jpg", `${"x".repeat(251)}.jpg`, "two  spaces.jpg", "..jpg.jpg"];
  put(...names);
  expect((await listPictures([folder], unwatched)).sort()).toEqual(
    names
      .filter((name) => !name.startsWith("."))
      .map((name) => join(folder, name))
      .sort(),
  );
});

test("links are followed, loops not for ever, and one that leads nowhere is still named", async () => {
  put("real/1.jpg");
  symlinkSync(join(folder, "real"), join(folder, "link"));
  symlinkSync("..", join(folder, "real/loop"));
  symlinkSync("nowhere", join(folder, "gone.jpg"));
  const found = await listPictures([folder], unwatched);
  expect(found).toEqual(["gone.jpg", "link/1.jpg", "real/1.jpg"].map((name) => join(folder, name)));
});

test("links that lead along countless ways, up, or to the root end soon", async () => {
  for (let i = 0; i < 40; i++) {
    put(`way/${i}/${i}.jpg`);
    for (const name of ["a", "b"]) symlinkSync(`../${i + 1}`, join(folder, `way/${i}/${name}`));
  }
  symlinkSync("/", join(folder, "way/0/root"));
  symlinkSync(folder, join(folder, "way/0/up"));
  const found = await listPictures([join(folder, "way")], unwatched);
  expect(new Set(found.map((path) => basename(path))).size).toBe(40);
  expect(found.length).toBeLessThan(40 * 40);
});

test.skipIf(process.platform === "win32")(
  "what is no file though its name says so is reported, not opened",
  async () => {
    put("1.jpg");
    spawnSync("mkfifo", [join(folder, "pipe.jpg")]);
    symlinkSync("/dev/zero", join(folder, "zero.jpg"));
    const reported: [string, string][] = [];
    const found: string[] = [];
    const visitor = {
      unreadable: (path: string, error: unknown) => reported.push([path, describeFault(error)]),
      other: () => {},
    };
    for await (const name of walk(folder, visitor, unwatched)) found.push(name);
    expect(found).toEqual(["1.jpg"]);
    expect(reported).toEqual(["pipe.jpg", "zero.jpg"].map((name) => [name, "neither a file nor a folder"]));
    expect(await listPictures([folder], unwatched)).toEqual([join(folder, "1.jpg")]);
  },
);

test("a path that isn't there is an error that names it", async () => {
  await expect(listPictures([join(folder, "none")], unwatched)).rejects.toMatchObject({ code: "not-found" });
  await expect(listPictures([join(folder, "none")], unwatched)).rejects.toThrow(join(folder, "none"));
});

test.skipIf(process.getuid?.() === 0)("a folder without permission is reported (not as root, who has it)", async () => {
  put("open/1.jpg", "shut/2.jpg");
  chmodSync(join(folder, "shut"), 0);
  const unreadable: string[] = [];
  const found: string[] = [];
  for await (const name of walk(folder, { unreadable: (path) => unreadable.push(path), other() {} }, unwatched))
    found.push(name);
  chmodSync(join(folder, "shut"), 0o700);
  expect(found).toEqual(["open/1.jpg"]);
  expect(unreadable).toEqual(["shut"]);
});

test("files that are no pictures by their names are counted by extension, commonest first, hidden ones not", async () => {
  const names = [1, 2, 3].flatMap((i) => [`a/IMG_${i}.CR2`, `a/IMG_${i}.JPG`]);
  put(...names, "a/deep/4.cr2", "b/notes.txt", "b/README", "b/clip.MOV", "b/.DS_Store", "b/@eaDir/x/thumb.xyz");
  const others = new OtherFiles();
  expect(await listWith([folder], others, unwatched)).toHaveLength(3);
  expect(others.describe()).toBe(
    "4 .CR2, 1 without an extension, 1 .MOV, 1 .txt were not looked at, being no pictures by their names; " +
      "raw files of cameras have to be saved as JPEG first",
  );
});

test("one other file is spoken of in the singular, many kinds are cut short, none are nothing", () => {
  const others = new OtherFiles();
  expect(others.describe()).toBeUndefined();
  others.add("list.txt");
  expect(others.describe()).toBe("1 .txt was not looked at, being no picture by its name");
  for (const letter of "abcdefghij") others.add(`x.${letter}`);
  expect(others.describe()).toMatch(/^1 \.txt, (1 \.[a-g], ){7}3 others were not looked at/);
});
