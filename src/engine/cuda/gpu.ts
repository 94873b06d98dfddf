import type { Precision } from "../engine.js";
import { Blas, loadBlas } from "./blas.js";
import { openCompiler } from "./compiler.js";
import { Dnn, loadDnn } from "./dnn.js";
import { Device, driverVersion, openDriver } from "./driver.js";
import { Kernels } from "./kernels.js";
import type { Scene } from "./native.js";
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
  const device = new Device(driver, scene);
  const blas = new Blas(blasLibrary, device, precision, scene);
  const dnn = new Dnn(dnnLibrary, device, precision, scene);
  const kernels = new Kernels(driver, device, compiler, { BF16: precision === "bf16" ? 1 : 0 });
  const library = `cuDNN ${dnn.version}, cuBLASLt ${blas.version}, NVRTC ${compiler.version}, driver ${driverVersion(driver)}`;
  return {
    ...{ device, blas, dnn, kernels, precision, scene, library },
    tuning: new Tuning(device, `${device.facts.name}, ${library}, ${precision}`),
    close() {
      kernels.close();
      dnn.close();
      blas.close();
      device.close();
    },
  };
}
