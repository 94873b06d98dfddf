import { koffi } from "./koffi.js";

/** An address in this process or on a device, or a handle of a native library; 0n points at nothing. */
export type Pointer = bigint;

/** The address of memory that stays where it is as long as `values` is referred to. */
export function addressOf(values: ArrayBufferView): Pointer {
  return koffi().address(values);
}

const native = new WeakSet<ArrayBufferLike>();

/** Memory outside the JavaScript heap as a buffer. It must not be looked at once that memory is given back. */
export function memoryAt(address: Pointer, bytes: number): ArrayBuffer {
  const buffer = koffi().view(address, bytes);
  native.add(buffer);
  return buffer;
}

/** Whether a buffer came of `memoryAt`. Such a one stays on its thread: Node.js refuses to move it, or copies it. */
export function isNative(buffer: ArrayBufferLike): boolean {
  return native.has(buffer);
}

/** The text that ends with a zero byte at an address; "" where there is none. */
export function textAt(address: Pointer): string {
  return address === 0n ? "" : koffi().decode.string(address);
}

/** Calls `write`, which writes an address, a handle or a 64-bit number to its argument, and gives that. */
export function writtenPointer(write: (out: BigUint64Array) => void): Pointer {
  const out = new BigUint64Array(1);
  write(out);
  const [value = 0n] = out;
  return value;
}

/** Calls `write`, which writes an int to its argument, and gives that. */
export function writtenInteger(write: (out: Int32Array) => void): number {
  const out = new Int32Array(1);
  write(out);
  const [value = 0] = out;
  return value;
}
