import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sharp } from "#src/images/sharp.js";
import { main } from "../../support/command-line.js";
import { temporaryFolder } from "../../support/folders.js";
import { everythingIn, prepareHere, write } from "../../support/stores.js";

const PICTURES = 80;

/** Pictures of noise take five times as much room as photos: what was estimated is not enough. */
async function drawNoise(): Promise<string> {
  const source = temporaryFolder();
  const raw = { width: 256, height: 256, channels: 3 } as const;
  for (let i = 0; i < PICTURES; i++)
    write(source, {
      [`a/${i}.png`]: await sharp(randomBytes(256 * 256 * 3), { raw })
        .png({ compressionLevel: 0 })
        .toBuffer(),
    });
  return source;
}

/** Runs a script in which "$@" is the program and "$0" a disk of its own; undefined where none can be mounted. */
function onSmallDisk(megabytes: number, script: string) {
  const disk = join(temporaryFolder(), "disk");
  mkdirSync(disk);
  const run = (commands: string) =>
    spawnSync(
      "unshare",
      [
        ...["--map-root-user", "--mount", "bash", "-c"],
        `mount -t tmpfs -o size=${megabytes}m none "$0" && { ${commands}\n}`,
        ...[disk, process.execPath, main],
      ],
      { encoding: "utf8" },
    );
  return run("true").status === 0 ? run(script) : undefined;
}

test("a disk that fills up: an error that says so, no whole store, and going on once there is room", async (ctx) => {
  const source = await drawNoise();
  const kept = join(temporaryFolder(), "kept");
  const preparing = (encoding: string) => `"$@" prepare ${source} --out "$0/store" --encoding ${encoding}`;
  const done = onSmallDisk(
    8,
    `${preparing("raw")} && exit 1
     ${preparing("jpeg")} && exit 2
     ${preparing("jpeg")} && exit 3
     "$@" verify "$0/store" && exit 4
     mount -o remount,size=64m "$0" && ${preparing("jpeg")} && "$@" verify "$0/store" && cp -r "$0/store" ${kept}`,
  );
  if (done === undefined) return ctx.skip("no small file system can be mounted here");
  expect(done.status, done.stderr).toBe(0);
  const errors = done.stderr.split("\n").filter((line) => line.startsWith("alexnet: "));
  expect(errors).toEqual([
    expect.stringMatching(
      /80 pictures as raw need about 16\.1 MB, 8\.\d+ MB are free; keep them as JPEGs \(--encoding jpeg\)/,
    ),
    expect.stringMatching(/store: the disk is full \(.*\); make room, then the same again goes on$/),
    expect.stringMatching(
      /80 pictures as jpeg need about 2\.32 MB, [\d.]+ k?B are free; choose a folder on another disk \(--out\)/,
    ),
    expect.stringMatching(/not finished; finish it with the call that began it: alexnet prepare/),
  ]);
  const alone = await prepareHere({ source, encoding: "jpeg" });
  expect(await everythingIn(kept)).toEqual(await everythingIn(alone.path));
});

test("a store on a disk that can't be written to is read as any other", async (ctx) => {
  const source = await drawNoise();
  const { path } = await prepareHere({ source });
  const copy = join(temporaryFolder(), "store");
  cpSync(path, copy, { recursive: true });
  const look = join(temporaryFolder(), "look");
  const done = onSmallDisk(
    64,
    `cp -r ${copy} "$0/store" && rm "$0/store/lock.mdb" && mount -o remount,ro "$0" || exit 1
     "$@" verify "$0/store" && "$@" inspect "$0/store" --out ${look} || exit 2
     "$@" bench loader "$0/store" --pictures 100 --batch 10 || exit 3
     "$@" prepare ${source} --out "$0/store" --max-bad 1 || exit 4
     "$@" prepare ${source} --out "$0/other"`,
  );
  if (done === undefined) return ctx.skip("no small file system can be mounted here");
  expect(done.status, done.stderr).toBe(1);
  expect(done.stdout).toContain("store: whole; 72 training and 8 validation pictures\n");
  expect(done.stdout).toContain("already prepared, nothing to do\n");
  expect(done.stderr).toMatch(/other: no store can be written there \(\w+\); choose another folder \(--out\)\n$/);
});
