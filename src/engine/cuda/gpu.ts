import type { Closable } from "../../system/native/objects.js";
import type { Precision } from "../engine.js";
import { openCompiler } from "./kernels/compiler.js";
import { Kernels } from "./kernels/kernels.js";
import type { Scene } from "./native/bind.js";
import { Blas, loadBlas } from "./native/blas.js";
import { Dnn, loadDnn } from "./native/dnn.js";
import { Device, driverVersion, openDriver } from "./native/driver.js";
import { Tuning } from "./tuning.js";

/** One device with all that computes on it. It belongs to the thread that opened it. */
export interface Gpu {
  readonly device: Device;
  readonly blas: Blas;
  readonly dnn: Dnn;
  readonly kernels: Kernels;
  readonly tuning: Tuning;
  readonly precision: Precision;
  readonly scene: Scene;
  /** "cuDNN 9.10.2, cuBLASLt 12.9.1, NVRTC 12.9, driver 12.8" */
  readonly library: string;
  close(): void;
}

/** @throws AlexnetError "engine" naming what is missing, where it was looked for and what to install. */
export function openGpu(precision: Precision = "bf16"): Gpu {
  const scene: Scene = { doing: "" };
  const driver = openDriver(scene);
  const compiler = openCompiler(scene, driver.version);
  const [blasLibrary, dnnLibrary] = [loadBlas(driver.version), loadDnn(driver.version)];
  const opened: Closable[] = [];
  const noted = <T extends Closable>(part: T): T => {
    opened.push(part);
    return part;
  };
  const close = (): void => {
    for (const part of opened.splice(0).reverse()) part.close();
  };
  try {
    const device = noted(new Device(driver, scene));
    const blas = noted(new Blas(blasLibrary, device, precision, scene));
    const dnn = noted(new Dnn(dnnLibrary, device, precision, scene));
    const kernels = noted(new Kernels(driver, device, compiler, { BF16: precision === "bf16" ? 1 : 0 }));
    const library = `cuDNN ${dnn.version}, cuBLASLt ${blas.version}, NVRTC ${compiler.version}, driver ${driverVersion(driver)}`;
    const tuning = new Tuning(device, `${device.facts.name}, ${library}, ${precision}`);
    return { device, blas, dnn, kernels, tuning, precision, scene, library, close };
  } catch (error) {
    close();
    throw error;
  }
}
