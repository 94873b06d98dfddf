import { execFile } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { useEmulator } from "../../support/emulator.js";
import { temporaryFolder } from "../../support/folders.js";

/** scripts/gpu-check on an emulated device: its stages, and what it does about those that fail. */

const missing = useEmulator();
if (missing !== undefined) console.warn(`gpu-check is skipped: ${missing}`);

const folder = temporaryFolder();
const quick = ["--out", folder, "--width", "0.0625", "--batches", "2", "--steps", "1"];

/** A Python that does `what` instead of running the peer. */
function fakePython(name: string, what: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${what}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** What the emulated device is like in checks from now on. */
let emulate: Readonly<Record<string, string>> = {};

/** "S"; "Z" of a process that has ended and that nobody asked after; "" where there is none. */
function stateOf(pid: number): string {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

async function check(...args: string[]) {
  const env = { ...process.env, EMULATOR_SKIP_LARGE: "1", ...emulate };
  const code = await promisify(execFile)("scripts/gpu-check", [...quick, ...args], { env }).then(
    () => 0,
    (error: { code: number }) => error.code,
  );
  const { stages } = JSON.parse(readFileSync(join(folder, "gpu-check.json"), "utf8"));
  return { code, stages, text: readFileSync(join(folder, "gpu-check.md"), "utf8") };
}

describe.skipIf(missing !== undefined)("gpu-check", { timeout: 120_000 }, () => {
  it("measures what is there and skips what is not", async () => {
    const absent = fakePython("absent", "echo \"No module named 'torch'\" >&2; exit 1");
    const { code, stages, text } = await check("--only", "layers,pytorch", "--python", absent);
    expect(stages).toMatchObject({ layers: { status: "passed" }, pytorch: { status: "skipped" } });
    expect(code).toBe(0);
    expect(text).toMatch(/^\| conv1 \| forward \|.*cudnn implicit-gemm \|$/m);
  });

  it("keeps a stage's failure and the others' results", async () => {
    const broken = fakePython("broken", "echo 'RuntimeError: no kernel image' >&2; exit 1");
    const { code, stages, text } = await check("--only", "pytorch", "--python", broken);
    expect(stages).toMatchObject({ layers: { status: "passed" }, pytorch: { status: "failed" } });
    expect(code).toBe(1);
    expect(text).toContain("RuntimeError: no kernel image");
  });

  it("says that a stage fails which passed before, and keeps what it found when there is no time", async () => {
    emulate = { EMULATOR_BYTES: "1000000" };
    const failed = await check("--only", "layers");
    expect(failed.stages).toMatchObject({ layers: { status: "failed", error: expect.stringMatching(/GB/) } });
    expect(failed.code).toBe(1);
    emulate = {};
    await check("--only", "layers");
    const { code, stages } = await check("--only", "layers", "--minutes", "0.01");
    expect(stages).toMatchObject({ layers: { status: "passed" } });
    expect(code).toBe(1);
  });

  it("ends a stage whose time is up, and all that it started", async () => {
    const pid = join(folder, "pid");
    const hanging = fakePython("hanging", `echo $$ > ${pid}; exec sleep 600`);
    const { code, stages } = await check("--only", "pytorch,suite", "--python", hanging, "--minutes", "0.1");
    expect(stages).toMatchObject({ pytorch: { status: "unfinished" }, suite: { status: "not run" } });
    expect(code).toBe(1);
    expect(stateOf(Number(readFileSync(pid, "utf8")))).toMatch(/^[ZX]?$/);
  });
});
