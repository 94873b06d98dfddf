import { existsSync } from "node:fs";
import { AlexnetError } from "../errors.js";
import type { Model } from "../model/model.js";
import { writeWhole } from "../system/files.js";
import { encodeOnnx, type OnnxOptions } from "./onnx/onnx.js";
import { encodePytorch } from "./pytorch/pytorch.js";
import { encodeTensors } from "./tensors.js";

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
 * @throws AlexnetError "usage" when the file is there already or an option doesn't suit the format.
 */
export async function exportModel(model: Model, path: string, options: ExportOptions): Promise<number> {
  const { format, force = false, withPreprocessing = false, float16 = false } = options;
  if (format !== "onnx" && (withPreprocessing || float16))
    throw new AlexnetError(
      "invalid-option",
      `--with-preprocessing and --float16 are for ONNX; --format ${format} has neither`,
    );
  if (!force && existsSync(path))
    throw new AlexnetError("already-exists", `${path}: is there already; --force replaces it`);
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
