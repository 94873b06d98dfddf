import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { engineNames } from "#src/engine/host/engines.js";
import { readSafetensors } from "#src/formats/safetensors.js";
import { Checkpoints, checkpointPath } from "#src/runs/checkpoint/keep.js";
import { readCheckpoint, readModel, readOrigin } from "#src/runs/checkpoint/read.js";
import { writeCheckpoint } from "#src/runs/checkpoint/write.js";
import { temporaryFolder } from "../../support/folders.js";
import { compact, exampleCheckpoint } from "../../support/training.js";

describe("a checkpoint's file", () => {
  test("gives back to the last bit what was written", () => {
    const path = join(temporaryFolder(), "a.safetensors");
    const written = exampleCheckpoint(5, 5);
    const bytes = writeCheckpoint(path, written);
    expect(readFileSync(path)).toHaveLength(bytes);
    expect(compact(readCheckpoint(path))).toEqual(compact(written));
    expect(compact(readModel(path))).toEqual(compact(written.model));
    expect(compact(readOrigin(path))).toEqual(compact(written.origin));
    expect(readdirSync(join(path, ".."))).toEqual(["a.safetensors"]);
  });

  test.each(engineNames)("can come from the engine %s", (engine) => {
    const path = join(temporaryFolder(), "a.safetensors");
    const { origin, ...rest } = exampleCheckpoint(5);
    writeCheckpoint(path, { ...rest, origin: { ...origin, engine: { ...origin.engine, engine } } });
    expect(readOrigin(path).engine.engine).toBe(engine);
  });

  test("holds the parameters under their own names and shapes", () => {
    const path = join(temporaryFolder(), "a.safetensors");
    const { model } = exampleCheckpoint(5);
    writeCheckpoint(path, exampleCheckpoint(5));
    const { tensors } = readSafetensors(path);
    expect(tensors.get("conv1.weight")?.shape).toEqual([4, 3, 11, 11]);
    expect(tensors.get("conv1.weight")?.data).toEqual(model.parameters.slice(0, 4 * 3 * 11 * 11));
    expect(tensors.get("momentum.fc3.bias")?.shape).toEqual([3]);
  });

  test("any byte changed, any length cut is found", () => {
    const path = join(temporaryFolder(), "a.safetensors");
    writeCheckpoint(path, exampleCheckpoint(5));
    const whole = readFileSync(path);
    const headerBytes = Number(whole.readBigUInt64LE(0));
    const spread = Array.from({ length: 60 }, (_, i) => Math.floor((i * (whole.length - 1)) / 59));
    const inHeader = Array.from({ length: 60 }, (_, i) => Math.floor((i * headerBytes) / 60));
    for (const place of [...spread, ...inHeader]) {
      const bytes = Buffer.from(whole);
      bytes[place] ^= 1;
      writeFileSync(path, bytes);
      if (isPadding(whole, place, headerBytes)) continue;
      expect(() => readCheckpoint(path), `byte ${place}`).toThrow(path);
    }
    for (const length of [0, 7, 8, 100, headerBytes, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      expect(() => readCheckpoint(path), `length ${length}`).toThrow(path);
    }
  });

  test("damage to the momentum does not keep the model from being used", () => {
    const path = join(temporaryFolder(), "a.safetensors");
    writeCheckpoint(path, exampleCheckpoint(5));
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    expect(() => readCheckpoint(path)).toThrow("origin hash");
    expect(compact(readModel(path))).toEqual(compact(exampleCheckpoint(5).model));
  });

  test("values that are not finite are not written", () => {
    const path = join(temporaryFolder(), "a.safetensors");
    const checkpoint = exampleCheckpoint(5);
    checkpoint.momentum[checkpoint.momentum.length - 1] = Number.NaN;
    expect(() => writeCheckpoint(path, checkpoint)).toThrow("fc3.bias: holds values that are not finite");
    expect(existsSync(path)).toBe(false);
  });
});

/** Blanks after the header's JSON may change. */
function isPadding(file: Buffer, place: number, headerBytes: number): boolean {
  return (
    place >=
      8 +
        file
          .subarray(8, 8 + headerBytes)
          .toString()
          .trimEnd().length && place < 8 + headerBytes
  );
}

describe("a run's checkpoints", () => {
  function inFolder(keep: number): Checkpoints {
    const folder = join(temporaryFolder(), "checkpoints");
    mkdirSync(folder);
    return new Checkpoints(folder, keep);
  }
  const link = (checkpoints: Checkpoints, name: string): string =>
    readlinkSync(join(checkpoints.folder, `${name}.safetensors`));

  test("the newest few and the best are kept; links name the last and the best", async () => {
    const checkpoints = inFolder(2);
    for (const step of [10, 20, 30, 40]) await checkpoints.save(exampleCheckpoint(step, 10));
    expect(readdirSync(checkpoints.folder).sort()).toEqual([
      "best.safetensors",
      "last.safetensors",
      "step-000000010.safetensors",
      "step-000000030.safetensors",
      "step-000000040.safetensors",
    ]);
    expect(link(checkpoints, "last")).toBe("step-000000040.safetensors");
    expect(link(checkpoints, "best")).toBe("step-000000010.safetensors");
    expect(checkpointPath(checkpoints.folder, "best")).toContain("step-000000010");
  });

  test("saving takes the arrays along", async () => {
    const checkpoint = exampleCheckpoint(1);
    await inFolder(1).save(checkpoint);
    expect([checkpoint.model.parameters.length, checkpoint.momentum.length]).toEqual([0, 0]);
  });

  test("a damaged one is passed over for the newest that is whole, and named", async () => {
    const checkpoints = inFolder(3);
    for (const step of [10, 20, 30]) await checkpoints.save(exampleCheckpoint(step));
    writeFileSync(join(checkpoints.folder, "last.safetensors"), "rubbish");
    const damaged: string[] = [];
    expect(compact(checkpoints.newest((error) => damaged.push(error.message)))).toEqual(compact(exampleCheckpoint(20)));
    expect(damaged).toEqual([expect.stringContaining("step-000000030.safetensors")]);
  });

  test("none whole is an error; none at all is none", async () => {
    const checkpoints = inFolder(1);
    expect(checkpoints.newest(() => {})).toBeUndefined();
    expect(() => checkpointPath(checkpoints.folder, "last")).toThrow("holds no checkpoint yet");
    await checkpoints.save(exampleCheckpoint(10));
    writeFileSync(join(checkpoints.folder, "last.safetensors"), "rubbish");
    expect(() => checkpoints.newest(() => {})).toThrow("none of its 1 checkpoints is whole");
  });

  test("what a crash left in the middle of writing goes away", async () => {
    const checkpoints = inFolder(1);
    writeFileSync(join(checkpoints.folder, "step-000000005.safetensors.part"), "half");
    await checkpoints.save(exampleCheckpoint(10));
    expect(readdirSync(checkpoints.folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("no room: an error that says so, and the last good one stays", async () => {
    const checkpoints = inFolder(1);
    await checkpoints.save(exampleCheckpoint(10));
    const program = `
      const { readCheckpoint } = await import(${JSON.stringify(built("read.js"))});
      const { Checkpoints } = await import(${JSON.stringify(built("keep.js"))});
      const folder = process.argv[1];
      const checkpoint = readCheckpoint(folder + "/last.safetensors");
      const later = { ...checkpoint, origin: { ...checkpoint.origin, state: { ...checkpoint.origin.state, step: 11 } } };
      await new Checkpoints(folder, 1).save(later).catch((error) => console.log(error.code, error.message));
    `;
    const { stdout, stderr } = spawnSync(
      "sh",
      [
        "-c",
        'ulimit -f 100; exec "$0" --input-type=module -e "$1" "$2"',
        process.execPath,
        program,
        checkpoints.folder,
      ],
      { encoding: "utf8" },
    );
    expect(stdout, stderr).toMatch(/^disk .*step-000000011.safetensors: no room on the disk \(EFBIG\)/);
    expect(readdirSync(checkpoints.folder).sort()).toEqual(["last.safetensors", "step-000000010.safetensors"]);
    expect(compact(checkpoints.newest(() => {}))).toEqual(compact(exampleCheckpoint(10)));
  });
});

function built(file: string): string {
  return new URL(`../../../dist/runs/checkpoint/${file}`, import.meta.url).href;
}
