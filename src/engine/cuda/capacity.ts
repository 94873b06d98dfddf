import { AlexnetError, type Hint } from "../../errors.js";
import type { Network } from "../../network/network.js";
import type { CompileOptions } from "../engine.js";
import type { Gpu } from "./gpu.js";
import { planProgram } from "./plan.js";

/** What the system and other programs may take of the memory that the driver calls free. */
export const SPARE_BYTES = 256 << 20;

/** @throws AlexnetError "memory" when a program would take more than is free, with the largest batch that fits. */
export function refuseTooLarge(gpu: Gpu, bytes: number, network: Network, options: CompileOptions): void {
  const capacity = gpu.device.freeBytes - SPARE_BYTES;
  if (bytes <= capacity) return;
  const fits = (batchSize: number): boolean => {
    const { build } = planProgram(gpu, network, { ...options, batchSize });
    const needed = build.estimateBytes();
    build.close();
    return needed <= capacity;
  };
  let [most, least] = [0, options.batchSize];
  while (least - most > 1) {
    const middle = Math.floor((most + least) / 2);
    if (fits(middle)) most = middle;
    else least = middle;
  }
  throw tooLarge(gpu, bytes, network, options, most);
}

/** The error of a program that needs `bytes`; `most`: the largest batch that fits, 0 where it isn't known. */
export function tooLarge(
  { device }: Gpu,
  bytes: number,
  { name }: Network,
  { batchSize, mode }: CompileOptions,
  most: number,
): AlexnetError {
  const gigabytes = (value: number): string => `${(value / 1e9).toFixed(1)} GB`;
  const hint: Hint =
    most > 0
      ? { advice: "give at most the largest batch that fits", option: "batchSize", value: most }
      : { advice: "close other programs or give a smaller batch", option: "batchSize" };
  return new AlexnetError(
    "memory",
    `${name}: batches of ${batchSize} take ${gigabytes(bytes)} (${mode}); ${device.facts.name} has ${gigabytes(device.freeBytes)} free`,
    { hint },
  );
}
