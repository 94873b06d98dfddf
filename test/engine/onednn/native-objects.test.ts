import { afterEach, describe, expect, it } from "vitest";
import { openOneDnn } from "#src/engine/onednn/engine.js";
import { openLibrary } from "#src/engine/onednn/native/library.js";
import { AlexnetError } from "#src/errors.js";
import { openObjects } from "#src/system/native/objects.js";
import { temporaryFolder } from "../../support/folders.js";
import {
  expectCallsKeepNothing,
  expectFailureLeavesNothing,
  expectNothingLeft,
  expectProgramsLeaveNothing,
} from "../../support/native-objects.js";

/** What oneDNN made for this thread, counted; with algorithms chosen by measuring, which runs programs of their own. */

process.env.ALEXNET_ALGORITHMS = "measure";
process.env.ALEXNET_CACHE = temporaryFolder();
let missing = "";
try {
  await openLibrary(1).close();
} catch (error) {
  if (!(error instanceof AlexnetError && error.code === "engine")) throw error;
  missing = error.message;
  console.warn(`counting oneDNN's objects is skipped: ${missing}`);
}

describe.skipIf(missing !== "")("the oneDNN engine's native objects", () => {
  const open = () => openOneDnn({ threads: 1, precision: "float32" });
  afterEach(() => expect(openObjects()).toEqual({}));

  it("are all closed when the engine is, after everything that it can do", async () => {
    await expectNothingLeft(open);
  });

  it("are as many after programs were compiled, used and closed as before", async () => {
    const engine = open();
    await expectProgramsLeaveNothing(engine);
    await engine.close();
  });

  it("are as many after a network that can not be compiled as before", async () => {
    const engine = open();
    await expectFailureLeavesNothing(engine);
    await engine.close();
  });

  it("do not become more by 200 calls of a kind", async () => {
    const engine = open();
    await expectCallsKeepNothing(engine);
    await engine.close();
  });

  it("are closed with the engine where a program was not", async () => {
    const library = openLibrary(1);
    const scope = library.scope();
    const descriptor = scope.bindings.descriptor([2, 3], "row-major", "float32");
    const memory = scope.bindings.createMemory(descriptor, 4096n);
    await library.close();
    expect(openObjects()).toEqual({});
    expect(() => memory.address).toThrow(expect.objectContaining({ code: "closed" }));
    expect(() => scope.bindings.bytes(descriptor)).toThrow("this memory descriptor is closed");
  });

  it("tell the bytes of values by their number type", async () => {
    const library = openLibrary(1);
    const { bindings } = library.scope();
    const bytes = (type: "float32" | "bfloat16") =>
      bindings.bytes(bindings.descriptor([4, 8, 3, 3], "channels-last", type));
    expect([bytes("float32"), bytes("bfloat16")]).toEqual([1152, 576]);
    await library.close();
  });
});
