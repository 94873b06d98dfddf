/** How numbers are stored on the device. Memory that holds none, such as pictures and structs, is `Memory` of build.ts. */
export type NumberFormat = "float32" | "bf16";

const bytesEach: Readonly<Record<NumberFormat, number>> = { float32: 4, bf16: 2 };

/** Bytes that each value takes. */
export function bytesOf(format: NumberFormat): number {
  return bytesEach[format];
}
