import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import stringWidth from "string-width";
import { expect, test } from "vitest";
import { trainedSet } from "../support/trained-runs.js";

const { run, scratch } = trainedSet();
const COLUMNS = 80;

/** What a command prints in a real terminal of 80 columns, line by line. */
function inTerminal(args: string, expected = 0): readonly string[] {
  const command = `stty cols ${COLUMNS}; '${process.execPath}' dist/cli/main.js ${args}`;
  const { stdout, status } = spawnSync("script", ["-qec", command, "/dev/null"], {
    encoding: "utf8",
    env: { ...process.env, SHELL: "/bin/sh", NO_COLOR: "1", ALEXNET_CACHE: `${scratch}/cache` },
    timeout: 60_000,
  });
  expect(status, stdout).toBe(expected);
  return stdout.split("\r\n");
}

test.skipIf(!existsSync("/usr/bin/script"))("in a terminal of 80 columns no line is wider, whatever is printed", () => {
  for (const args of [
    "--help",
    "train --help",
    "networks",
    "recipes",
    "info --engine reference",
    `show '${run}'`,
    `compare '${run}' '${run}'`,
  ]) {
    const lines = inTerminal(args);
    expect(lines.length, args).toBeGreaterThan(5);
    // A path to copy is not broken, however long it is.
    const wide = lines.filter((line) => stringWidth(line) > COLUMNS && !line.startsWith("curves: "));
    expect(wide, args).toEqual([]);
  }
});

test.skipIf(!existsSync("/usr/bin/script"))(
  "in a terminal of 80 columns what can't be meant is refused in whole words",
  () => {
    const lines = inTerminal("train photos --policy sine", 2);
    expect(lines.slice(0, 3)).toEqual([
      "alexnet: option '--policy <name|json>' argument 'sine' is invalid. Give",
      "  plateau, step, linear, cosine, or JSON such as",
      '  {"kind":"step","fractions":[0.6,0.8],"factor":10}.',
    ]);
  },
);
