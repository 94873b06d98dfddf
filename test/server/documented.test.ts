import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharp } from "#src/images/sharp.js";
import { type Serving, serve } from "#src/server/serve.js";
import { type TrainResult, train } from "#src/training/train.js";
import { blocks } from "../support/documentation.js";
import { quick, trainedSet } from "../support/trained-runs.js";
import { quickTraining } from "../support/training.js";

/** The examples of docs/api.md against a server, a run named "first" and two pictures, word for word but for the port. */

const { run, path, scratch } = trainedSet();
const here = join(scratch, "here");
const page = await readFile("docs/api.md", "utf8");
const codeOf = (language: string): string =>
  blocks(page)
    .filter((block) => block.language === language)
    .map(({ code }) => code)
    .join("\n");
const commands = codeOf("sh")
  .split("\n")
  .filter((line) => line.startsWith("curl "));
const hasCurl = process.platform !== "win32" && spawnSync("curl", ["--version"]).status === 0;

let serving: Serving;
beforeAll(async () => {
  mkdirSync(join(here, "runs"), { recursive: true });
  cpSync(run, join(here, "runs", "first"), { recursive: true, verbatimSymlinks: true });
  for (const [name, label] of [
    ["cat", "lake"],
    ["dog", "apple"],
  ])
    await sharp(join(path, "val", label, "0.png"))
      .jpeg()
      .toFile(join(here, `${name}.jpg`));
  serving = await serve({ runs: join(here, "runs"), port: 0, ...quick });
});
afterAll(() => serving.close());

const hereIn = (code: string): string => code.replaceAll("http://127.0.0.1:7012", serving.url);

/** What a documented command prints. The server is in this process, which must not wait for it. */
async function output(command: string): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    execFile("sh", ["-c", hereIn(command).replace("curl ", "curl -sS ")], { cwd: here }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
  return JSON.parse(text);
}

const predictions = expect.arrayContaining([{ class: "lake", probability: expect.any(Number) }]);

describe.skipIf(!hasCurl)("the documented commands", () => {
  test("are these four", () => {
    expect(commands).toHaveLength(4);
  });

  test("list runs", async () => {
    expect(await output(commands[0] ?? "")).toEqual([expect.objectContaining({ id: "first", epoch: 2 })]);
  });

  test("classify one picture, and several", async () => {
    expect(await output(commands[1] ?? "")).toEqual({ predictions });
    expect(await output(commands[2] ?? "")).toEqual({
      pictures: [
        { name: "cat.jpg", predictions },
        { name: "dog.jpg", predictions },
      ],
    });
  });

  test("ask a run that trains to save; say so where none does", async () => {
    expect(await output(commands[3] ?? "")).toEqual({ error: { message: expect.stringContaining("nothing trains") } });
    const stop = new AbortController();
    const live = join(here, "runs", "first-live");
    const training: Promise<TrainResult | string> = train(
      quickTraining(path, live, { seed: 5, epochs: 2000, signal: stop.signal }),
    ).catch(String);
    const asking = (commands[3] ?? "").replace("/first/", "/first-live/");
    const logged = async (): Promise<string> => readFile(join(live, "log.txt"), "utf8").catch(() => "");
    await expect.poll(logged, { timeout: 30_000 }).toContain("epoch 1 of");
    expect(await output(asking)).toEqual({ asked: "save" });
    await expect.poll(logged, { timeout: 30_000 }).toContain("asked for: save");
    stop.abort("enough");
    await training;
  });
});

test("the documented fetch classifies", async () => {
  const AsyncFunction = (async () => {}).constructor as new (
    ...text: string[]
  ) => (...given: unknown[]) => Promise<unknown>;
  const program = new AsyncFunction("readFile", `${hereIn(codeOf("js"))}\nreturn predictions;`);
  expect(await program((name: string) => readFile(join(here, name)))).toEqual(predictions);
});
