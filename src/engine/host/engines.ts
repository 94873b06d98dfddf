import { existsSync } from "node:fs";
import { AlexnetError } from "../../errors.js";
import type { ComputeEngine } from "../compute.js";
import type { Precision } from "../engine.js";
import { mayHaveAdapter } from "../webgpu/adapter.js";

export interface OpenOptions {
  /** Threads that compute. Default: as many as the engine finds best. */
  readonly threads?: number;
  /** What products are computed in. Default: the fastest that the engine has. */
  readonly precision?: Precision;
  /** Refuses a device that is no hardware: computing on the processor by way of a GPU's interface is slow. */
  readonly hardwareOnly?: boolean;
}

interface EngineRow<Name = string> {
  readonly name: Name;
  /** Opens it on the calling thread, which becomes the one that computes. Its code is loaded only now. */
  readonly open: (options: OpenOptions) => Promise<ComputeEngine>;
  /** What it can compute products in. */
  readonly precisions: readonly Precision[];
  /**
   * How "auto" looks at it: a GPU is taken where it proves right, else the CPU, or where that has no fast library any GPU
   * that proves right; the definition never is.
   */
  readonly runsOn: "gpu" | "cpu" | "any-gpu" | "definition";
  /** Of one on a GPU, whether it is worth while to look for the device. */
  readonly mayBeHere?: () => boolean;
}

/** All engines: a new one is a row here, and a folder beside this one. */
const rows = [
  {
    name: "onednn",
    open: async ({ precision, ...options }) =>
      (await import("../onednn/engine.js")).openOneDnn({
        ...options,
        precision: precision === "tf32" ? undefined : precision,
      }),
    precisions: ["float32", "bf16"],
    runsOn: "cpu",
  },
  {
    name: "cuda",
    open: async (options) => (await import("../cuda/engine.js")).openCuda(options),
    precisions: ["bf16", "tf32", "float32"],
    runsOn: "gpu",
    /** The driver's device is there, or the user says where the libraries are. */
    mayBeHere: () => ["/dev/nvidiactl", "/dev/dxg"].some(existsSync) || Boolean(process.env.ALEXNET_CUDA_PATH),
  },
  {
    name: "webgpu",
    open: async (options) => (await import("../webgpu/engine.js")).openWebGpu(options),
    precisions: ["float32"],
    runsOn: "any-gpu",
    mayBeHere: mayHaveAdapter,
  },
  {
    name: "reference",
    open: async () => (await import("../reference/engine.js")).openReference(),
    precisions: ["float32"],
    runsOn: "definition",
  },
] as const satisfies readonly EngineRow[];

export type EngineName = (typeof rows)[number]["name"];

export const engines: readonly EngineRow<EngineName>[] = rows;
export const engineNames: readonly EngineName[] = rows.map(({ name }) => name);

/** @throws AlexnetError "invalid-option" where there is none of this name */
export function engineByName(name: EngineName): EngineRow<EngineName> {
  const row = engines.find((candidate) => candidate.name === name);
  if (row === undefined)
    throw new AlexnetError(
      "invalid-option",
      `engine ${name}: there is none; choose among auto, ${engineNames.join(", ")}`,
    );
  return row;
}

/** Those that have it. */
export function enginesWith(precision: Precision): readonly EngineName[] {
  return engines.filter(({ precisions }) => precisions.includes(precision)).map(({ name }) => name);
}
