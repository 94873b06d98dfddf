import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { alexnet, main } from "../support/command-line.js";
import { trainedSet } from "../support/trained-runs.js";

const set = trainedSet();
let picture: string;
beforeAll(() => {
  const [folder = ""] = readdirSync(join(set.path, "val"));
  picture = join(set.path, "val", folder, readdirSync(join(set.path, "val", folder))[0] ?? "");
  writeFileSync(join(set.scratch, "file"), "mine");
  mkdirSync(join(set.scratch, "folder.csv"));
});

const quickly = ["--engine", "onednn", "--threads", "1"];

/** Every command that writes where it is told to: its arguments with the place at the end. */
const commands: Readonly<Record<string, (at: string) => readonly string[]>> = {
  "evaluate --csv": (at) => ["evaluate", set.run, set.path, ...quickly, "--csv", `${at}.csv`],
  "classify --out": (at) => ["classify", set.run, picture, ...quickly, "--out", `${at}.csv`],
  "features --out": (at) => ["features", set.run, picture, ...quickly, "--out", `${at}.npy`],
  "similar --sheet": (at) => ["similar", set.run, set.path, picture, ...quickly, "--sheet", `${at}.png`],
  "similar --index": (at) => ["similar", set.run, set.path, picture, ...quickly, "--index", `${at}.safetensors`],
  "report --out": (at) => ["report", set.run, set.path, ...quickly, "--out", `${at}.html`],
  "look --out": (at) => ["look", set.run, picture, ...quickly, "--out", at],
  "export --out": (at) => ["export", set.run, "--out", `${at}.onnx`],
  "compare --svg": (at) => ["compare", set.run, "--svg", `${at}.svg`],
  "show --svg": (at) => ["show", set.run, "--svg", `${at}.svg`],
  "prepare --out": (at) => ["prepare", set.path, "--out", at],
  "train --run": (at) => ["train", set.path, ...quickly, "--width", "0.05", "--epochs", "1", "--run", at],
  "demo --out": (at) => ["demo", "--out", at],
};

test.each(Object.keys(commands))(
  "%s below a file, or with a name too long, says why in a line before the work",
  (name) => {
    const command = commands[name] ?? (() => []);
    for (const at of [join(set.scratch, "file", "x"), join(set.scratch, "x".repeat(300))]) {
      const { status, stderr, stdout } = alexnet(...command(at));
      expect(stderr).toMatch(
        /^alexnet: .*(can't be written|can be (written|kept) there|no run can be kept|a file, not a folder)/m,
      );
      expect(stderr + stdout).not.toMatch(/mistake in the program|^ {4}at /m);
      expect([1, 2]).toContain(status);
    }
    expect(readFileSync(join(set.scratch, "file"), "utf8")).toBe("mine");
  },
);

test("evaluate onto a folder says so before it evaluates", () => {
  const { status, stderr, stdout } = alexnet(
    "evaluate",
    set.run,
    set.path,
    ...quickly,
    "--csv",
    join(set.scratch, "folder.csv"),
  );
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/folder.csv: can't be written \(a folder is there\); choose another place \(--csv\)/);
});

test("evaluate makes the folder that its CSV lies in", () => {
  const csv = join(set.scratch, "new", "deeper", "x.csv");
  const { status, stdout } = alexnet("evaluate", set.run, set.path, ...quickly, "--csv", csv);
  expect(status).toBe(0);
  expect(stdout).toContain("top-1");
  expect(readFileSync(csv, "utf8").split("\n").length).toBeGreaterThan(10);
});

test("evaluate writes its CSV through /dev/stdout into a pipe of the shell", () => {
  const words = ["evaluate", set.run, set.path, ...quickly, "--csv", "/dev/stdout"];
  const stdout = execFileSync("sh", ["-c", '"$0" "$@" | cat', process.execPath, main, ...words], { encoding: "utf8" });
  expect(stdout).toContain("top-1");
  expect(stdout).toMatch(/^split,file,/m);
});
