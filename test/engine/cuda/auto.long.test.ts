import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "#src/engine/engine.js";
import type { OpenOptions } from "#src/engine/host/engines.js";
import { openEngine } from "#src/engine/host/open.js";
import { cacheFolder } from "#src/system/cache-folder.js";
import { useEmulator } from "../../support/emulator.js";
import { openIfPossible } from "../../support/networks.js";

/** What "auto" takes where there is a GPU: an emulated one. */

const missing = useEmulator();
const withoutCpu = await openIfPossible("onednn").then(async (engine) =>
  typeof engine === "string" ? engine : engine.close(),
);
const reason = missing ?? withoutCpu;
if (reason !== undefined) console.warn(`what auto takes is skipped: ${reason}`);
const SLOW = { timeout: 120_000 };

let engine: Engine | undefined;
const open = async (options: OpenOptions = {}): Promise<Pick<Engine, "description" | "choice">> => {
  engine = await openEngine("auto", options);
  return engine;
};
const close = async (): Promise<void> => {
  await engine?.close();
  engine = undefined;
};
beforeEach(() => rmSync(join(cacheFolder(), "self-checks"), { recursive: true, force: true }));
afterEach(async () => {
  await close();
  for (const name of ["EMULATOR_WRONG", "EMULATOR_MAJOR", "EMULATOR_NO_DEVICE"]) delete process.env[name];
});

describe.skipIf(reason !== undefined)("auto", SLOW, () => {
  it("takes a GPU that agrees with the reference engine, and remembers it", async () => {
    const proven = {
      description: { engine: "cuda", instructionSet: "Emulator, sm_90, float32" },
      choice: expect.stringMatching(/^auto takes the GPU, which agreed with the reference engine on \d{4}-\d\d-\d\d$/),
    };
    expect(await open({ precision: "float32" })).toMatchObject(proven);
    await close();
    process.env.EMULATOR_WRONG = "1"; // nobody looks again
    expect(await open({ precision: "float32" })).toMatchObject(proven);
  });

  it("checks each precision by itself; bf16 where none is given", async () => {
    expect(await open()).toMatchObject({ description: { instructionSet: "Emulator, sm_90, bf16" } });
  });

  it("stays on the CPU where the GPU's results are wrong, and says what is", async () => {
    process.env.EMULATOR_WRONG = "1";
    const refused = {
      description: { engine: "onednn" },
      choice: expect.stringMatching(
        /^auto stays on the CPU: the GPU's results are wrong \(fc6: y is off by 0\.1\d* and \d+ more, checked on .*The engine cuda takes it all the same$/,
      ),
    };
    expect(await open()).toMatchObject(refused);
    await close();
    delete process.env.EMULATOR_WRONG; // a new driver makes it checked again, nothing else
    expect(await open()).toMatchObject(refused);
    await close();
    await close();
    process.env.EMULATOR_WRONG = "1";
    await expect(open({ precision: "tf32" })).rejects.toThrow(/^precision tf32: only a GPU has it, and auto stays on/);
  });

  it("stays on the CPU where the GPU can't be used, and says why", async () => {
    process.env.EMULATOR_MAJOR = "7";
    expect(await open()).toMatchObject({
      description: { engine: "onednn" },
      choice: expect.stringMatching(/^auto stays on the CPU: Emulator: compute capability 7\.0 is too old/),
    });
    await close();
    process.env.EMULATOR_NO_DEVICE = "1";
    expect(await open()).toMatchObject({ choice: expect.stringMatching(/the driver finds no device/) });
  });

  it("stays on the CPU where its threads are asked for", async () => {
    expect(await open({ threads: 1 })).toMatchObject({ description: { engine: "onednn", threads: 1 } });
  });
});
