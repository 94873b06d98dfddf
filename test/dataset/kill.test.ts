import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { below } from "#src/random.js";
import { contentOf, drawSome, prepareHere, temporaryFolder, useStore, write } from "./fixtures.js";

const KILLS = 20;

/** A process that prepares, and prints how far it is. */
function startPreparing(source: string, out: string): ChildProcess {
  const module = new URL("../../dist/dataset/prepare.js", import.meta.url).href;
  const script = `
    import { prepare } from ${JSON.stringify(module)};
    const [source, out] = process.argv.slice(1);
    const onProgress = ({ phase, done }) => process.stdout.write(phase + " " + done + "\\n");
    await prepare({ source, out, encoding: "raw", workers: 2, maxBad: 1, onProgress });
  `;
  return spawn(process.execPath, ["--input-type=module", "-e", script, source, out], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Kills it outright: some milliseconds after it began, or wrote, or is about to finish. */
async function killSometime(child: ChildProcess, attempt: number): Promise<void> {
  const ended = once(child, "exit");
  const commits = below(20, 1, attempt) === 0 ? Number.POSITIVE_INFINITY : below(2, 2, attempt);
  let heard = -1; // the first line is from before the first commit
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    if (line.startsWith("preparing")) heard++;
    if (heard < commits && !line.startsWith("finishing")) continue;
    await setTimeout(below(200, 3, attempt));
    child.kill("SIGKILL");
    break;
  }
  await ended;
}

test(`killed ${KILLS} times at any moment, it goes on and ends with the same content`, {
  timeout: 300_000,
}, async () => {
  const source = temporaryFolder();
  const drawn = Object.values(await drawSome("", 60));
  for (const [prefix, count] of [
    ["a", 900],
    ["b", 700],
  ] as const)
    for (let i = 0; i < count; i++) write(source, { [`${prefix}/${i}.jpg`]: drawn[(i * 7) % drawn.length] });
  write(source, { "a/300bad.jpg": "no picture", "b/100bad.jpg": "" });
  const whole = await prepareHere({ source, workers: 2 });
  let out = join(temporaryFolder(), "store");
  for (let attempt = 0, kills = 0; kills < KILLS; attempt++) {
    await killSometime(startPreparing(source, out), attempt);
    const found = await useStore(out, contentOf).catch((error: Error) => error);
    if (found instanceof Error) {
      kills++;
      expect(found.message).toMatch(/not finished|no picture store/);
    } else {
      expect(found, "what opens is whole").toEqual(await useStore(whole.path, contentOf));
      out = join(temporaryFolder(), "store"); // it was quicker than the kill: another from the start
    }
  }
  const { path, reused } = await prepareHere({ source, out });
  expect(reused).toBe(false);
  expect(await useStore(path, contentOf)).toEqual(await useStore(whole.path, contentOf));
});
