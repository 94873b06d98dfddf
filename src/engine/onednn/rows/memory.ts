import { memoryAt, type Pointer } from "../../../system/native/memory.js";
import type { NumberType } from "../arithmetic.js";

/** Part of a program's memory, as every thread of the process can find it. */
export interface Place {
  readonly address: Pointer;
  readonly bytes: number;
  readonly type: NumberType;
}

/** What the thread that computes tells the others of a step; written before the rows are begun. */
export type Frame = Float64Array<SharedArrayBuffer>;

export function sharedFrame(length: number): Frame {
  return new Float64Array(new SharedArrayBuffer(8 * length));
}

export function floatsAt({ address, bytes }: Place): Float32Array {
  return new Float32Array(memoryAt(address, bytes));
}

export function bitsAt({ address, bytes }: Place): Uint16Array {
  return new Uint16Array(memoryAt(address, bytes));
}

export function bytesAt({ address, bytes }: Place): Uint8Array {
  return new Uint8Array(memoryAt(address, bytes));
}
