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
