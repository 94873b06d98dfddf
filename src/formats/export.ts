import { existsSync } from "node:fs";
import { AlexnetError } from "../errors.js";
import type { Model } from "../model/model.js";
import { writeWhole } from "../system/files.js";
import { checkOutput } from "../system/outputs.js";
import { encodeOnnx, type OnnxOptions } from "./onnx/onnx.js";
import { encodePytorch } from "./pytorch/pytorch.js";
import { encodeTensors } from "./safetensors-model.js";

export const exportFormats = ["onnx", "safetensors", "pytorch"] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportOptions extends OnnxOptions {
  readonly format: ExportFormat;
  /** Replace a file that is there. */
  readonly force?: boolean;
}

/**
 * Writes a trained network for other programs, whole or not at all.
 * @returns the file's size in bytes
 * @throws AlexnetError "already-exists" when the file is there, "invalid-option" when an option doesn't suit the format,
 * "disk" when there is no space for it.
 */
export async function exportModel(model: Model, path: string, options: ExportOptions): Promise<number> {
  const { format, force = false, withPreprocessing = false, float16 = false } = options;
  if (format !== "onnx" && (withPreprocessing || float16))
    throw new AlexnetError("invalid-option", `preprocessing and half precision are for ONNX; ${format} has neither`, {
      hint: { advice: "leave it out", option: float16 ? "float16" : "withPreprocessing" },
    });
  if (!force && existsSync(path))
    throw new AlexnetError("already-exists", `${path}: is there already`, {
      hint: { advice: "replace it", option: "force", value: true },
    });
  checkOutput(path, "out");
  const parts = await encoders[format](model, options);
  writeWhole(path, parts);
  return parts.reduce((sum, part) => sum + part.length, 0);
}

type Encode = (model: Model, options: OnnxOptions) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;

const encoders: { readonly [F in ExportFormat]: Encode } = {
  onnx: (model, options) => [encodeOnnx(model, options)],
  safetensors: encodeTensors,
  pytorch: encodePytorch,
};
