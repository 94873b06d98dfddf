/** IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits. */

const float = new DataView(new ArrayBuffer(4));

/** The 16 bits of the half nearest to `value`, ties to even; beyond 65504 infinity. */
export function encodeHalf(value: number): number {
  float.setFloat32(0, value);
  const bits = float.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00; // not a number
  if (magnitude >= 0x4780_0000) return sign | 0x7c00; // 65536 and above
  if (magnitude < 0x3880_0000) {
    // Below 2^-14 halves count in steps of 2^-24. Rounding is to even because the float's own addition is.
    float.setFloat32(0, Math.abs(value) + 0.5);
    return sign | (float.getUint32(0) - 0x3f00_0000);
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
