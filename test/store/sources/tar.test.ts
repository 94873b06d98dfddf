import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { type Bytes, readTar } from "#src/store/sources/tar.js";
import { type ArchivedFile, makeTar } from "../../support/archives.js";
import { temporaryFolder } from "../../support/folders.js";
import { drawSome, prepareHere, readSkipped } from "../../support/stores.js";

function list(archive: Buffer) {
  const bytes: Bytes = { length: archive.length, read: (offset, length) => archive.subarray(offset, offset + length) };
  return [...readTar(bytes)].map(({ path, offset, length, fault }) => ({
    path,
    fault,
    content: fault === undefined ? archive.toString("latin1", offset, offset + length) : undefined,
  }));
}

const file = (path: string, content: string): ArchivedFile => ({ path, content });
const link = (path: string, linkpath: string, size = 0): ArchivedFile => ({
  path,
  content: "",
  type: "Link",
  linkpath,
  size,
});

test("a hard link has the bytes of the file that it leads to, whatever size it claims and however long the names", () => {
  const long = `${"folder/".repeat(30)}picture.jpg`;
  const archive = makeTar([
    file("./a.jpg", "first"),
    link("b.jpg", "a.jpg"),
    file(long, "second"),
    link("c.jpg", long, 6),
    link("d.jpg", "./a.jpg"),
  ]);
  expect(list(archive).map(({ path, content }) => [path, content])).toEqual([
    ["./a.jpg", "first"],
    ["b.jpg", "first"],
    [long, "second"],
    ["c.jpg", "second"],
    ["d.jpg", "first"],
  ]);
});

test("a link to what is not before it, a symbolic link and a sparse file are listed with their faults", () => {
  const archive = makeTar([
    link("early.jpg", "late.jpg"),
    file("late.jpg", "late"),
    { path: "soft.jpg", content: "", type: "SymbolicLink", linkpath: "late.jpg" },
    { path: "holes.jpg", content: "some", type: "SparseFile" },
    file("last.jpg", "last"),
  ]);
  expect(list(archive)).toMatchObject([
    { path: "early.jpg", fault: "a link in its archive to late.jpg, which is not before it" },
    { path: "late.jpg", content: "late" },
    { path: "soft.jpg", fault: "a symbolic link in its archive, to late.jpg" },
    { path: "holes.jpg", fault: expect.stringMatching(/sparse file/) },
    { path: "last.jpg", content: "last" },
  ]);
});

test("hard links in a WebDataset shard are pictures; what can't be read is listed as skipped", async () => {
  const folder = temporaryFolder();
  const pictures = Object.values(await drawSome("", 3, 5));
  const samples = pictures.flatMap((content, i) => [
    { path: `${i}.jpg`, content },
    { path: `${i}.cls`, content: `class ${i % 2}` },
  ]);
  writeFileSync(
    join(folder, "shard.tar"),
    makeTar([
      ...samples,
      link("3.jpg", "0.jpg"),
      file("3.cls", "class 0"),
      { path: "4.jpg", content: "", type: "SymbolicLink", linkpath: "0.jpg" },
      file("4.cls", "class 0"),
    ]),
  );
  writeFileSync(join(folder, "more.tar.gz"), gzipSync(makeTar(samples)));
  const summary = await prepareHere({ source: folder, valFraction: 0 });
  expect(summary.info.counts).toEqual({ train: 4, val: 0 });
  expect(summary.info.notes).toContain("left aside: more.tar.gz (compressed; unpack it)");
  expect(readSkipped(join(summary.path, "skipped.csv"))).toMatchObject([
    [expect.stringContaining("4.jpg"), expect.stringContaining("symbolic link")],
  ]);
});

test("a compressed archive that is called .tar is said to be compressed", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "shard.tar"), gzipSync(makeTar([file("0.jpg", "x"), file("0.cls", "cat")])));
  await expect(prepareHere({ source: folder })).rejects.toThrow(/a compressed archive, not a tar; unpack it first/);
});

test("archives' extensions count in any case", async () => {
  const folder = temporaryFolder();
  const pictures = await drawSome("", 4, 2);
  const samples = Object.values(pictures).flatMap((content, i) => [
    { path: `${i}.jpg`, content },
    file(`${i}.cls`, String(i % 2)),
  ]);
  writeFileSync(join(folder, "TRAIN.TAR"), makeTar(samples));
  expect((await prepareHere({ source: folder, valFraction: 0 })).info.counts.train).toBe(4);
});
