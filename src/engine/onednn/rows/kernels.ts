import { crop } from "./crop.js";
import { dropout, dropoutGradient } from "./dropout.js";
import { loss } from "./loss.js";
import { mapNorm, mapNormGradient } from "./map-norm.js";
import { normGradient } from "./norm-gradient.js";

/** What is computed in TypeScript, a row at a time: from an operation's constants, what carries out one of its rows. */
const kernels = { crop, dropout, dropoutGradient, loss, mapNorm, mapNormGradient, normGradient };

export type KernelName = keyof typeof kernels;
export type Constants<K extends KernelName> = Parameters<(typeof kernels)[K]>[0];

export function kernelOf<K extends KernelName>(name: K, constants: Constants<K>): (row: number) => void {
  const create = kernels[name] as (constants: Constants<K>) => (row: number) => void; // the table pairs the two
  return create(constants);
}
