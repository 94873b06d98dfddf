import { decodeHalf } from "./half.js";

/** How numbers lie in files, little endian. */
export const numberTypes = {
  float16: { bytes: 2, read: (view: DataView, at: number) => decodeHalf(view.getUint16(at, true)) },
  bfloat16: { bytes: 2, read: (view: DataView, at: number) => decodeBfloat16(view.getUint16(at, true)) },
  float32: { bytes: 4, read: (view: DataView, at: number) => view.getFloat32(at, true) },
  float64: { bytes: 8, read: (view: DataView, at: number) => view.getFloat64(at, true) },
} as const;

export type NumberType = keyof typeof numberTypes;

/** Numbers of `type` out of `bytes`, which may lie at any address, into all of `into`. */
export function decodeNumbers(bytes: Uint8Array, type: NumberType, into: Float32Array): void {
  if (type === "float32" && littleEndian) {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes);
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { bytes: size, read } = numberTypes[type];
  for (let i = 0; i < into.length; i++) into[i] = read(view, i * size);
}

/** The bytes of an array's numbers as they lie in memory: little endian on every machine that Node runs on but s390x. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The upper half of a float32. */
function decodeBfloat16(value: number): number {
  bits[0] = value << 16;
  return float[0] ?? Number.NaN;
}
