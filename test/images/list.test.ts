import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { listPictures, walk } from "#src/images/list.js";
import { describeFault } from "#src/images/picture.js";
import { temporaryFolder } from "../support/folders.js";
import { unwatched } from "../support/task.js";

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
    for await (const name of walk(folder, (path, error) => reported.push([path, describeFault(error)]), unwatched))
      found.push(name);
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
  for await (const name of walk(folder, (path) => unreadable.push(path), unwatched)) found.push(name);
  chmodSync(join(folder, "shut"), 0o700);
  expect(found).toEqual(["open/1.jpg"]);
  expect(unreadable).toEqual(["shut"]);
});
