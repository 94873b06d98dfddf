import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { doctor, type Finding } from "#src/doctor/doctor.js";
import { notLoaded } from "#src/engine/onednn/native/library.js";
import { alexnet } from "../support/command-line.js";
import { temporaryFolder } from "../support/folders.js";

const scratch = temporaryFolder();

afterEach(() => {
  vi.unstubAllEnvs();
});

function named(findings: readonly Finding[], part: string): Finding | undefined {
  return findings.find((finding) => finding.part === part);
}

test("where all is there, a network was trained for some steps, and nothing failed", async () => {
  vi.stubEnv("ALEXNET_CACHE", join(scratch, "cache"));
  const { canTrain, findings } = await doctor();
  expect(findings.filter(({ state }) => state === "failed")).toEqual([]);
  expect(canTrain).toBe(true);
  expect(named(findings, "Node.js")?.found).toBe(process.versions.node);
  expect(named(findings, "training")?.found).toMatch(/^three steps of a small network agree .* to \de-\d+$/);
  expect(named(findings, "engine")?.found).toMatch(/threads?/);
});

test("a library that can't be loaded and a cache that can't be written are told with their ways out, status 1", () => {
  mkdirSync(join(scratch, "empty"));
  writeFileSync(join(scratch, "file"), "");
  vi.stubEnv("ALEXNET_ONEDNN_PATH", join(scratch, "empty"));
  vi.stubEnv("ALEXNET_CACHE", join(scratch, "file", "cache"));
  const { status, stdout, stderr } = alexnet("doctor");
  expect(stderr).toBe("");
  expect(status).toBe(1);
  expect(stdout).toMatch(/^failed +engine +ALEXNET_ONEDNN_PATH=.*: there is no oneDNN in that folder$/m);
  expect(stdout).toMatch(
    /^Training does not work here:\nengine: .*; correct or unset it\ncache: .* set ALEXNET_CACHE to/m,
  );
  const { canTrain, findings } = JSON.parse(alexnet("doctor", "--json").stdout);
  expect(canTrain).toBe(false);
  expect(named(findings, "cache")).toMatchObject({ state: "failed" });
});

test("where there is no oneDNN at all, that is one sentence: the system's command, or this program's", () => {
  const search = { chosen: undefined, tried: ["libdnnl.so: no such file"], advice: "install it with `apt install x`" };
  expect(notLoaded({ ...search, isInstalled: false }).message).toBe(
    "oneDNN, which does the computing, is not on this machine; install it with `apt install x`, " +
      "or set ALEXNET_ONEDNN_PATH to its file; have it installed: doctor({ install: true })",
  );
  expect(notLoaded({ ...search, isInstalled: true }).message).toContain("Tried:\n  libdnnl.so: no such file");
});
