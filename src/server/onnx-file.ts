import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportModel } from "../formats/export.js";
import type { Model } from "../model/model.js";

/** A model as the bytes of an ONNX file. */
export async function onnxOf(model: Model): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "alexnet-onnx-"));
  try {
    const path = join(folder, "model.onnx");
    await exportModel(model, path, { format: "onnx" });
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
