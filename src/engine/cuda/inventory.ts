import { AlexnetError } from "../../errors.js";
import { openCompiler } from "./kernels/compiler.js";
import { blasVersion, loadBlas } from "./native/blas.js";
import { dnnVersion, loadDnn } from "./native/dnn.js";
import { type DeviceFacts, driverVersion, openDriver } from "./native/driver.js";

export interface FoundLibrary {
  /** "cuDNN 9.10.2" */
  readonly name: string;
  readonly path: string;
}

/** What there is of NVIDIA's on this machine. */
export interface Inventory {
  readonly devices: readonly DeviceFacts[];
  readonly libraries: readonly FoundLibrary[];
  /** What keeps the CUDA engine from running, in the words of its errors. */
  readonly missing: readonly string[];
}

/** Looks for the driver, its devices and the libraries; starts nothing on any device. */
export function takeInventory(): Inventory {
  const missing: string[] = [];
  const found = <T>(look: () => T): T | undefined => {
    try {
      return look();
    } catch (error) {
      if (!(error instanceof AlexnetError)) throw error;
      missing.push(error.message);
      return undefined;
    }
  };
  const scene = { doing: "" };
  const driver = found(() => openDriver(scene));
  if (driver === undefined) return { devices: [], libraries: [], missing };
  const { version, devices, library } = driver;
  const looks: readonly (() => FoundLibrary)[] = [
    () => ({ name: `driver for CUDA ${driverVersion(driver)}`, path: library.path }),
    () => {
      const compiler = openCompiler(scene, version);
      return { name: `NVRTC ${compiler.version}`, path: compiler.path };
    },
    () => {
      const blas = loadBlas(version);
      return { name: `cuBLASLt ${blasVersion(blas)}`, path: blas.path };
    },
    () => {
      const dnn = loadDnn(version);
      return { name: `cuDNN ${dnnVersion(dnn)}`, path: dnn.path };
    },
  ];
  return { devices, libraries: looks.flatMap((look) => found(look) ?? []), missing };
}
