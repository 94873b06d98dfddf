import { simdKernel } from "./simd-kernel.js";

const PAGE = 65536; // bytes

/** simd.wat's functions, which say themselves what they do. Addresses are bytes in `memory`. */
export interface Simd {
  readonly memory: WebAssembly.Memory;
  crop(
    means: number,
    meanPlane: number,
    picture: number,
    side: number,
    to: number,
    plane: number,
    at: number,
    size: number,
    mirrored: number,
    ...shiftsThenScales: readonly number[]
  ): void;
  round(from: number, to: number, count: number): void;
  widen(from: number, to: number, count: number): void;
  drop(
    values: number,
    mask: number,
    count: number,
    start: number,
    stride: number,
    dropped: number,
    factor: number,
  ): void;
  scale(values: number, mask: number, count: number, factor: number): void;
}

/** An instance of its own, with at least so many bytes of memory. */
export function openSimd(bytes: number): Simd {
  const module = new WebAssembly.Module(Buffer.from(simdKernel, "base64"));
  const simd = new WebAssembly.Instance(module).exports as unknown as Simd; // as the text says
  const missing = Math.ceil((bytes - simd.memory.buffer.byteLength) / PAGE);
  if (missing > 0) simd.memory.grow(missing);
  return simd;
}
