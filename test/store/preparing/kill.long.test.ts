import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { below } from "#src/random.js";
import { lockStore } from "#src/store/database.js";
import type { PreparingEvent } from "#src/store/preparing/options.js";
import { openStore } from "#src/store/store.js";
import { makeParquet, makeTar } from "../../support/archives.js";
import { temporaryFolder } from "../../support/folders.js";
import { drawSome, everythingIn, prepareHere, write } from "../../support/stores.js";

/** `ALEXNET_KILLS=100 npm run test:long -- preparing/kill` for a longer try. */
const KILLS = Number(process.env.ALEXNET_KILLS ?? 20);

/** A process that prepares, and prints how far it is. */
function startPreparing(source: string, out: string): ChildProcess {
  const module = new URL("../../../dist/store/preparing/prepare.js", import.meta.url).href;
  const script = `
    import { prepare } from ${JSON.stringify(module)};
    const [source, out] = process.argv.slice(1);
    const onEvent = ({ phase, done }) => process.stdout.write(phase + " " + done + "\\n");
    await prepare({ source, out, encoding: "raw", workers: 2, maxBad: 1, onEvent });
  `;
  return spawn(process.execPath, ["--input-type=module", "-e", script, source, out], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

type Phase = PreparingEvent["phase"];

/** Where a kill is to fall: so many milliseconds at most after a phase began, or after one of its first transactions. */
const moments = [
  { phase: "listing", within: 60 },
  { phase: "preparing", within: 200 },
  { phase: "preparing", within: 200 },
  { phase: "finishing", within: 25 },
] as const;

/** Kills it outright. @returns the phase it was in, or undefined when it had ended before */
async function killSometime(child: ChildProcess, attempt: number): Promise<Phase | undefined> {
  const ended = once(child, "exit");
  const { phase, within } = moments[attempt % moments.length];
  let heard: Phase | undefined;
  let wait = phase === "preparing" ? below(3, 2, attempt) : 0; // the first line is from before the first transaction
  let isAimed = false;
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    heard = line.split(" ")[0] as Phase;
    if (isAimed || (heard !== phase && heard !== "finishing") || wait-- > 0) continue;
    isAimed = true;
    setTimeout(below(within, 3, attempt)).then(() => child.kill("SIGKILL"));
  }
  const [, signal] = await ended;
  return signal === "SIGKILL" ? heard : undefined;
}

/** Classes a and b of 900 and 700 pictures, some of which can't be read, in a form that people have. */
const sources = {
  async folders() {
    const source = temporaryFolder();
    for (const { path, content } of await draw()) write(source, { [path]: content });
    return source;
  },
  async WebDataset() {
    const source = temporaryFolder();
    const pictures = await draw();
    const members = pictures.flatMap(({ path, content }, i) => [
      { path: `${i}.jpg`, content },
      { path: `${i}.cls`, content: path.startsWith("a") ? "0" : "1" },
    ]);
    write(source, {
      "photos-000000.tar": makeTar(members.slice(0, 1800)),
      "photos-000001.tar": makeTar(members.slice(1800)),
    });
    return source;
  },
  async Parquet() {
    const source = temporaryFolder();
    const pictures = await draw();
    const labels = pictures.map(({ path }) => (path.startsWith("a") ? "ant" : "bee"));
    const bytes = pictures.map(({ content }) => Buffer.from(content));
    const columns = ["image", "label"];
    write(source, { "photos.parquet": makeParquet(bytes, labels, { rowGroupSize: 400 }, columns) });
    return source;
  },
};

async function draw() {
  const drawn = Object.values(await drawSome("", 60));
  const files: { path: string; content: string | Uint8Array }[] = [];
  for (const [prefix, count] of [
    ["a", 900],
    ["b", 700],
  ] as const)
    for (let i = 0; i < count; i++) {
      if (i % 300 === 299) files.push({ path: `${prefix}/${i}bad.jpg`, content: i > 400 ? "no picture" : "" });
      files.push({ path: `${prefix}/${i}.jpg`, content: drawn[(i * 7) % drawn.length] });
    }
  return files;
}

test.each([
  ["folders", KILLS],
  ["WebDataset", Math.ceil(KILLS / 4)],
  ["Parquet", Math.ceil(KILLS / 4)],
] as const)(
  "%s: killed %d times at any moment, it goes on and ends with the same content",
  {
    timeout: 60_000 + KILLS * 15_000,
  },
  async (form, kills) => {
    const source = await sources[form]();
    const whole = await prepareHere({ source, workers: 2 });
    const expected = await everythingIn(whole.path);
    const killedIn: Record<Phase, number> = { listing: 0, preparing: 0, finishing: 0 };
    let out = join(temporaryFolder(), "store");
    for (let attempt = 0, killed = 0; killed < kills; attempt++) {
      const phase = await killSometime(startPreparing(source, out), attempt);
      const found = await openStore(out).catch((error: Error) => error);
      if (found instanceof Error) {
        killed++;
        expect(found.message).toMatch(/not finished|no picture store/);
        killedIn[phase ?? expect.fail("it ended, and left an unfinished store")]++;
      } else {
        await found.close();
        expect(await everythingIn(out), "what opens is whole").toEqual(expected);
        out = join(temporaryFolder(), "store"); // it was quicker than the kill: another from the start
      }
    }
    const { path, reused } = await prepareHere({ source, out });
    expect(reused).toBe(false);
    expect(await everythingIn(path)).toEqual(expected);
    console.log(`${form}: ${JSON.stringify(killedIn)}`);
  },
);

describe("killed before the database wrote anything", () => {
  test.each([
    ["only its file was made", ["data.mdb"]],
    ["only its files were made", ["data.mdb", "lock.mdb"]],
  ] as const)("%s: no whole store, and gone on with", async (_, names) => {
    const source = temporaryFolder();
    write(source, await drawSome("a/", 4));
    const out = join(temporaryFolder(), "store");
    mkdirSync(out);
    for (const name of names) writeFileSync(join(out, name), "");
    await expect(openStore(out)).rejects.toThrow(/not finished; finish it with the call that began it: prepare/);
    expect((await prepareHere({ source, out })).info.counts).toEqual({ train: 3, val: 1 });
  });
});

test("a store that another process is preparing is left to it", async () => {
  const source = temporaryFolder();
  write(source, await drawSome("a/", 400));
  const out = join(temporaryFolder(), "store");
  const child = startPreparing(source, out);
  const ended = once(child, "exit");
  await once(child.stdout ?? child, "data");
  await expect(prepareHere({ source, out })).rejects.toThrow(/another process is preparing this store; let it finish/);
  expect((await ended)[0]).toBe(0);
  expect((await prepareHere({ source, out })).reused).toBe(true);
  const unlock = lockStore(out);
  expect((await prepareHere({ source, out })).reused, "a whole one needs no lock").toBe(true);
  unlock();
});
