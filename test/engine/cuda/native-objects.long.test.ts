import { afterEach, describe, expect, it } from "vitest";
import { openCuda } from "#src/engine/cuda/engine.js";
import { openObjects } from "#src/system/native/objects.js";
import { useEmulator } from "../../support/emulator.js";
import {
  expectCallsKeepNothing,
  expectNothingLeft,
  expectProgramsLeaveNothing,
  openCount,
} from "../../support/native-objects.js";
import { centred, smallNetwork } from "../../support/networks.js";

/** What NVIDIA's libraries made for this thread, counted, on an emulated device. */

const missing = useEmulator();
if (missing !== undefined) console.warn(`counting CUDA's objects is skipped: ${missing}`);

describe.skipIf(missing !== undefined)("the CUDA engine's native objects", () => {
  afterEach(() => {
    delete process.env.EMULATOR_BYTES;
    expect(openObjects()).toEqual({});
  });

  it.each(["bf16", "float32"] as const)(
    "are all closed when the engine is, after all it can do in %s",
    async (precision) => {
      await expectNothingLeft(() => openCuda({ precision }));
    },
  );

  it("are as many after programs were compiled, used and closed as before", async () => {
    const engine = openCuda({ precision: "float32" });
    await expectProgramsLeaveNothing(engine);
    await engine.close();
  });

  it("do not become more by 200 calls of a kind", async () => {
    const engine = openCuda({ precision: "float32" });
    await expectCallsKeepNothing(engine);
    await engine.close();
  });

  it("are as many after a program that does not fit as before", async () => {
    process.env.EMULATOR_BYTES = String(320 << 20);
    const engine = openCuda({ precision: "float32" });
    const before = openCount();
    expect(() => engine.compile(smallNetwork, { batchSize: 4096, mode: "train", preprocessing: centred })).toThrow(
      expect.objectContaining({ code: "memory" }),
    );
    expect(openCount()).toBe(before);
    await engine.close();
  });
});
