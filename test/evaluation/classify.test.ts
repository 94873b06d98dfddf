import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Classification, classify } from "#src/evaluation/classify.js";
import { type ClassifyToFileOptions, classifyToFile } from "#src/evaluation/classify-to-file.js";
import { modelPath } from "#src/evaluation/loaded-model.js";
import { openSafetensors } from "#src/formats/safetensors.js";
import { parseCsvLine, splitCsvLines } from "#src/system/csv.js";
import { alexnet } from "../support/command-line.js";
import { quick, trainedSet } from "../support/trained-runs.js";

const { run, path, scratch } = trainedSet();
const broken = join(scratch, 'broken, "quoted".jpg');

async function all(pictures: readonly string[], views?: number): Promise<Classification[]> {
  const results: Classification[] = [];
  for await (const result of classify({ run, pictures, views, ...quick })) results.push(result);
  return results;
}

function options(out: string, changes: Partial<ClassifyToFileOptions> = {}): ClassifyToFileOptions {
  writeFileSync(broken, "no picture");
  const format = out.endsWith(".csv") ? "csv" : "jsonl";
  return { run, pictures: [join(path, "train"), broken, join(path, "val")], out, format, ...quick, ...changes };
}

describe("classify", () => {
  it("gives files in order, in one batch or several", async () => {
    const results = await all([join(path, "val"), join(path, "train")], 18); // 7 pictures a batch
    expect(results).toHaveLength(39);
    const [first] = results;
    expect(first.file).toBe(join(path, "val", "apple", "0.png"));
    expect(await all([first.file], 18)).toEqual([first]);
  });

  it("says of a run that isn't there first, and of files that are not looked at", async () => {
    const missing = classify({ run: join(scratch, "nope"), pictures: ["none.jpg"], ...quick });
    await expect(missing.next()).rejects.toMatchObject({ code: "not-found", message: expect.stringContaining("nope") });
    const folder = join(scratch, "mixed");
    cpSync(join(path, "val", "lake"), folder, { recursive: true });
    for (const name of ["a.CR2", "b.CR2", "list.txt"]) writeFileSync(join(folder, name), "");
    const { stderr, status } = alexnet("classify", run, folder, "--threads", "1");
    expect({ stderr, status }).toEqual({
      stderr: `warning: ${folder}: 2 .CR2, 1 .txt were not looked at, being no pictures by their names; raw files of cameras have to be saved as JPEG first\n`,
      status: 0,
    });
  });

  it("gives what is wrong with files among the others", async () => {
    writeFileSync(broken, "no picture");
    const good = join(path, "val", "apple", "0.png");
    const results = await all([good, broken, join(scratch, "none.png"), good]);
    const unreadable = results.filter((result) => "error" in result).map(({ file }) => file);
    expect(unreadable.sort()).toEqual([broken, join(scratch, "none.png")].sort());
    expect(results).toHaveLength(4);
  });
});

it("finds a checkpoint whose parameters were damaged or cut, though it maps them", async () => {
  const picture = join(path, "val", "apple", "0.png");
  const whole = readFileSync(modelPath(run, "best"));
  const { position, close } = openSafetensors(modelPath(run, "best"));
  const at = position("conv1.weight");
  close();
  const changed = Buffer.from(whole);
  changed[at] ^= 1;
  const file = join(scratch, "damaged.safetensors");
  for (const [contents, message] of [
    [changed, "model hash"],
    [whole.subarray(0, at + 8), "ends at byte"],
  ] as const) {
    rmSync(file, { force: true });
    writeFileSync(file, contents);
    const results = classify({ run: file, pictures: [picture], ...quick });
    await expect(results.next()).rejects.toMatchObject({
      code: "damaged-file",
      message: expect.stringContaining(message),
    });
  }
});

describe.each(["csv", "jsonl"])("classifying into %s", (ending) => {
  it("interrupted, goes on where it was; the file is the same as in one go", async () => {
    const whole = join(scratch, `whole.${ending}`);
    const summary = await classifyToFile(options(whole));
    expect(summary).toMatchObject({ files: 40, unreadable: 1, before: 0 });

    const parts = join(scratch, `parts.${ending}`);
    const stop = new AbortController();
    const onEvent: ClassifyToFileOptions["onEvent"] = (event) => {
      if (event.kind === "progress" && event.done === 7) stop.abort("SIGINT");
    };
    const interrupted = classifyToFile(options(parts, { views: 18, onEvent, signal: stop.signal }));
    await expect(interrupted).rejects.toMatchObject({ code: "interrupted" });
    expect(existsSync(parts)).toBe(false);
    const begun = readFileSync(`${parts}.part`, "utf8");
    writeFileSync(`${parts}.part`, begun.slice(0, -9)); // as a crash may leave it

    await expect(classifyToFile(options(parts))).rejects.toThrow(/begun with another network or other settings/);
    const failures: string[] = [];
    const onUnreadable: ClassifyToFileOptions["onEvent"] = (event) => {
      if (event.kind === "unreadable") failures.push(event.error);
    };
    const rest = await classifyToFile(options(parts, { views: 18, onEvent: onUnreadable }));
    expect(rest).toMatchObject({ files: 40, unreadable: 1, before: 6 });
    expect(failures).toEqual([`${broken}: not a picture: text`]);
    expect(existsSync(`${parts}.part`) || existsSync(`${parts}.part.json`)).toBe(false);

    const once = join(scratch, `once.${ending}`);
    await classifyToFile(options(once, { views: 18 }));
    const files = (name: string): unknown[] =>
      splitCsvLines(readFileSync(name, "utf8")).map((line) =>
        ending === "csv" ? parseCsvLine(line).slice(0, 3) : JSON.parse(line).file,
      );
    expect(files(parts)).toEqual(files(once));
    expect(files(parts)).toHaveLength(ending === "csv" ? 41 : 40);
  });
});

describe("alexnet classify", () => {
  it("writes a file, says what could not be read, and ends with 1", () => {
    const { out } = options(join(scratch, "cli.csv"));
    rmSync(out, { force: true });
    const { status, stderr, stdout } = alexnet("classify", run, broken, join(path, "val"), "--out", out, "--top", "2");
    expect(stdout).toBe("");
    expect(stderr).toContain(`alexnet: ${broken}: not a picture: text\n`);
    expect(stderr).toMatch(/cli\.csv: 16 files, 1 unreadable; \d+\.\d\/s\n$/);
    expect(status).toBe(1);
    const rows = splitCsvLines(readFileSync(out, "utf8")).map(parseCsvLine);
    expect(rows[0]).toEqual(["file", "error", "class_1", "probability_1", "class_2", "probability_2"]);
    expect(rows[1]).toEqual([broken, `${broken}: not a picture: text`, "", "", "", ""]);
    expect(rows).toHaveLength(17);
  });

  it("asks for a format where the file's name says none", () => {
    const { status, stderr } = alexnet("classify", run, path, "--out", join(scratch, "results"));
    expect(status).toBe(2);
    expect(stderr).toContain("say which with --csv or --jsonl");
  });
});
