import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { AlexnetError } from "../errors.js";
import type { Imported } from "../formats/import.js";
import { writeWhole } from "../system/files.js";
import { Checkpoints, checkpointFileName } from "./checkpoint/keep.js";
import { writeModel } from "./checkpoint/write.js";

/** What says that a run folder's network was trained elsewhere, and where it came from. */
const MARKER = "imported.json";

/**
 * Makes a run folder of a network that another program trained: all that predicting and fine-tuning need, and no
 * training to go on with.
 * @param source the file it was read from
 * @param force replace what an earlier import made of the folder
 * @throws AlexnetError "already-exists" when the folder holds anything else; nothing is written then.
 */
export function writeImportedRun(
  path: string,
  { model, format, assumptions }: Imported,
  source: string,
  force = false,
): void {
  refuseUnlessFree(path, force);
  const checkpoints = new Checkpoints(join(path, "checkpoints"), 1);
  mkdirSync(checkpoints.folder, { recursive: true });
  writeModel(join(checkpoints.folder, checkpointFileName(0)), model);
  checkpoints.settle(0, 0);
  writeWhole(join(path, "classes.json"), json(model.classes));
  writeWhole(
    join(path, MARKER),
    json({ source, format, assumptions: assumptions.map(({ assumed }) => assumed), time: new Date().toISOString() }),
  );
}

function refuseUnlessFree(path: string, force: boolean): void {
  const held = existsSync(path) ? readdirSync(path) : [];
  if (held.length === 0 || (force && held.includes(MARKER))) return;
  throw new AlexnetError("already-exists", `${path}: is not empty (${held[0]})`, {
    hint: held.includes(MARKER)
      ? { advice: "replace the import", option: "force", value: true }
      : { advice: "choose another folder", option: "out" },
  });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
