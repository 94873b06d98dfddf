import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { alexnet, main } from "../support/command-line.js";

test("--version prints the package's version", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(alexnet("--version")).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: "" });
});

test("--help lists the commands in groups", () => {
  const { status, stdout } = alexnet("--help");
  expect(status).toBe(0);
  expect(stdout).toContain("Look around:");
  expect(stdout).toMatch(/^ {2}networks /m);
});

test.each([
  [["nonsense"], "alexnet: unknown command 'nonsense'"],
  [["networks", "--nonsense"], "alexnet: unknown option '--nonsense'"],
])("%j is a usage error", (args, message) => {
  const { status, stdout, stderr } = alexnet(...args);
  expect(status).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain(message);
});

test.each([
  [["train", "x", "--lr", "0.1"], "(Here it is --learning-rate.)"],
  [["train", "x", "--batch_size", "8"], "(Here it is --batch.)"],
  [["evaluate", "x", "--batch-size=8"], "(Here it is --batch.)"],
  [["train", "x", "--model", "paper"], "(Here it is --network.)"],
  [["predict", "x"], "(Here it is: alexnet classify.)"],
  [["resume", "runs/x"], "(Here it is: alexnet train --resume.)"],
])("%j: another program's word is answered with this one's", (args, answer) => {
  const { status, stderr } = alexnet(...args);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(answer) });
});

test.each([[["networks", "--lr"]], [["networks", "--constructor"]], [["constructor"]], [["__proto__"]]])(
  "%j is answered with no word that isn't there",
  (args) => {
    const { status, stderr } = alexnet(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^alexnet: unknown/);
    expect(stderr).not.toContain("Here it is");
  },
);

test("networks: the paper's has its 60,965,224 parameters", () => {
  expect(alexnet("networks").stdout).toMatch(/^paper +227x227 +22 +60,965,224 +1\.449$/m);
  const rows: unknown = JSON.parse(alexnet("networks", "--json").stdout);
  expect(rows).toContainEqual(expect.objectContaining({ name: "paper", parameters: 60_965_224 }));
});

test.skipIf(process.platform === "win32")("output that closes early is no error", () => {
  const { status, stderr } = spawnSync(
    "sh",
    ["-c", `("$0" "$1" networks; echo "status $?" >&2) | true`, process.execPath, main],
    {
      encoding: "utf8",
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "status 0\n" });
});
