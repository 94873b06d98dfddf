import { bits, mix, Purpose } from "../../random.js";

/**
 * What every engine multiplies one sample's units by in training: 0 with probability `rate`, else 1 / (1 - rate).
 * A pure function of its keys, so that all engines drop the same units. `layer` is the layer's index in its network,
 * `sample` the sample's index in its batch.
 */
export function dropoutMask(
  mask: Float32Array | Float64Array,
  rate: number,
  seed: number,
  layer: number,
  sample: number,
): void {
  const start = bits(seed, Purpose.dropout, layer, sample, 0);
  const stride = bits(seed, Purpose.dropout, layer, sample, 1) | 1; // odd: visits every 32-bit number once
  const dropped = rate * 0x1_0000_0000;
  const kept = 1 / (1 - rate);
  for (let unit = 0; unit < mask.length; unit++)
    mask[unit] = mix((start + Math.imul(unit, stride)) | 0) < dropped ? 0 : kept;
}
