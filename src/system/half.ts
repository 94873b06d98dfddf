/** IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The 32 bits of the float32 nearest to a value. */
function bitsOf(value: number): number {
  float[0] = value;
  return bits[0] ?? 0;
}

/** The 16 bits of the half nearest to `value`, ties to even; beyond 65504 infinity. */
export function encodeHalf(value: number): number {
  const given = bitsOf(value);
  const sign = (given >>> 16) & 0x8000;
  const magnitude = given & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00; // not a number
  if (magnitude >= 0x4780_0000) return sign | 0x7c00; // 65536 and above
  if (magnitude < 0x3880_0000) {
    // Below 2^-14 halves count in steps of 2^-24. Rounding is to even because the float's own addition is.
    return sign | (bitsOf(Math.abs(value) + 0.5) - 0x3f00_0000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x3800_0000) >>> 13);
}

/** The value of a half's 16 bits; exact. */
export function decodeHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export function encodeHalves(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, encodeHalf);
}
