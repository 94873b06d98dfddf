import { cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AlexnetError } from "../errors.js";
import { exportModel } from "../formats/export.js";
import { encodeDescription } from "../model/description.js";
import type { Model } from "../model/model.js";
import { explainDisk, writeWhole } from "../system/files.js";
import { makeOutputFolder } from "../system/outputs.js";

export interface ExportPageOptions {
  /** Write into a folder that has something in it already. */
  readonly force?: boolean;
}

/**
 * Writes a folder that any static host serves: a page that classifies pictures in the reader's browser, and the network.
 * Nothing in it says where it was made.
 * @returns the files' sizes together, in bytes
 * @throws AlexnetError "already-exists" when the folder isn't empty, "disk" when it can't be written.
 */
export async function exportPage(model: Model, folder: string, options: ExportPageOptions = {}): Promise<number> {
  const { force = false } = options;
  makeOutputFolder(folder, "page");
  if (!force && readdirSync(folder).length > 0)
    throw new AlexnetError("already-exists", `${folder}: is there already, and not empty`, {
      hint: { advice: "write into it all the same", option: "force", value: true },
    });
  await exportModel(model, join(folder, "model.onnx"), { format: "onnx", force: true });
  writeWhole(join(folder, "model.json"), encodeDescription(model));
  // As src/web/build.js made it.
  const built = new URL("../web/", import.meta.url);
  try {
    cpSync(fileURLToPath(new URL("assets", built)), join(folder, "assets"), { recursive: true });
  } catch (error) {
    throw explainDisk(error, folder);
  }
  // Last: where it is, all that it needs is there.
  writeWhole(join(folder, "index.html"), readFileSync(new URL("classify.html", built), "utf8"));
  return bytesBelow(folder, ["index.html", "model.onnx", "model.json", "assets"]);
}

function bytesBelow(folder: string, names: readonly string[]): number {
  return names
    .map((name) => join(folder, name))
    .map((path) => (statSync(path).isDirectory() ? bytesBelow(path, readdirSync(path)) : statSync(path).size))
    .reduce((sum, bytes) => sum + bytes, 0);
}
