import { bits, mix, Purpose } from "../../random.js";

/** What decides which of one sample's units are dropped: unit i is where mix(start + i * stride) is below `dropped`. */
export interface DropoutKeys {
  /** Integers of 32 bits. */
  readonly start: number;
  readonly stride: number;
  /** A whole number below 2^32. */
  readonly dropped: number;
  /** What kept units are multiplied by. */
  readonly kept: number;
}

/**
 * A pure function of its arguments, so that all engines drop the same units. `layer` is the layer's index in its network,
 * `sample` the sample's index in its batch, of which several ranks may have parts.
 */
export function dropoutKeys(rate: number, seed: number, layer: number, sample: number): DropoutKeys {
  return {
    start: bits(seed, Purpose.dropout, layer, sample, 0),
    stride: bits(seed, Purpose.dropout, layer, sample, 1) | 1, // odd: visits every 32-bit number once
    dropped: Math.min(Math.ceil(rate * 0x1_0000_0000), 0xffff_ffff),
    kept: 1 / (1 - rate),
  };
}

/** What every engine multiplies one sample's units by in training: 0 with probability `rate`, else 1 / (1 - rate). */
export function dropoutMask(
  mask: Float32Array | Float64Array,
  rate: number,
  seed: number,
  layer: number,
  sample: number,
): void {
  const { start, stride, dropped, kept } = dropoutKeys(rate, seed, layer, sample);
  for (let unit = 0; unit < mask.length; unit++)
    mask[unit] = mix((start + Math.imul(unit, stride)) | 0) < dropped ? 0 : kept;
}
