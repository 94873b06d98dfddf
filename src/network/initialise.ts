import { normals, Purpose } from "../random.js";
import type { Network } from "./network.js";
import { parameterCount, parameterTable } from "./parameters.js";

/** How parameters start, as data. */
export interface Initialisation {
  /** Weights are normal with mean 0 and this deviation; "he" is sqrt(2 / fan-in) (He et al. 2015). */
  readonly deviation: number | "he";
  /** Layers whose deviation differs. */
  readonly deviations?: Readonly<Record<string, number>>;
  /** Times the deviation of layers that are not among those. */
  readonly gain?: number;
  /** In its place for the last layer: the smaller, the closer the first answers are to guessing. */
  readonly headGain?: number;
  /** Biases by layer; layers not named start at 0. */
  readonly biases: Readonly<Record<string, number>>;
}

/**
 * Fresh parameters in the order of `parameterTable`: a pure function of its arguments. They lie on a SharedArrayBuffer,
 * which crosses to an engine's thread uncopied.
 */
export function initialise(network: Network, initialisation: Initialisation, seed: number): Float32Array {
  const table = parameterTable(network);
  const last = table.at(-1)?.layer;
  const values = new Float32Array(new SharedArrayBuffer(4 * parameterCount(network)));
  table.forEach(({ layer, role, offset, count, fanIn }, index) => {
    if (role === "bias") {
      values.fill(initialisation.biases[layer] ?? 0, offset, offset + count);
      return;
    }
    const { deviation, deviations, gain = 1, headGain = gain } = initialisation;
    const times = layer === last ? headGain : gain;
    const scale = deviations?.[layer] ?? times * (deviation === "he" ? Math.sqrt(2 / fanIn) : deviation);
    normals(values.subarray(offset, offset + count), scale, seed, Purpose.initialisation, index);
  });
  return values;
}
