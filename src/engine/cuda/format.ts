/** How numbers are stored on the device. */
export type NumberFormat = "float32" | "bf16";

/** What memory holds: numbers, or bytes that the engine reads as numbers nowhere: pictures, scratch memory, orders. */
export type Format = NumberFormat | "bytes";

const bytesEach: Readonly<Record<Format, number>> = { float32: 4, bf16: 2, bytes: 1 };

/** Bytes that each value takes. */
export function bytesOf(format: Format): number {
  return bytesEach[format];
}

/** The format as one of numbers. @throws Error for bytes, which are none: a mistake in this engine */
export function numbersOf(format: Format): NumberFormat {
  if (format === "bytes") throw new Error("these are bytes, not numbers");
  return format;
}
