import { fstatSync, readFileSync, statSync } from "node:fs";
import { processLibrary } from "./native/library.js";
import { memoryAt, type Pointer } from "./native/memory.js";
import type { NativeFunctions } from "./native/signatures.js";

/**
 * Numbers in files as memory of this process: nothing is read before it is looked at, and what the system has cached
 * is not copied. Such memory has one address on all threads.
 */

/** Where mapped values lie: crosses between threads as it is. */
export interface Place {
  readonly address: Pointer;
  readonly bytes: number;
}

const places = new WeakMap<ArrayBufferLike, Place>();
const unmapped = new FinalizationRegistry<Place>(({ address, bytes }) => systemCalls()?.munmap(address, bytes));

const GRANULARITY = 1 << 16; // bytes: a whole number of pages on every system
const READ = 1;
const READ_WRITE = 3;
const PRIVATE = 2;
const POPULATE = process.platform === "linux" ? 0x8000 : 0;
const DONT_NEED = 4; // of shared pages: they are left to the system, nothing is lost
const FAILED = -1n;

/**
 * `count` float32 values of an open file from byte `position` on. Writing to them changes this process's copy only. The
 * file must not be made shorter while they are in use; that it is replaced or removed does no harm.
 * @returns undefined where they can't be mapped: the file is shorter, or the system doesn't; reading says what is wrong
 */
export function mapFloats(file: number, position: number, count: number): Float32Array | undefined {
  const libc = systemCalls();
  const begin = Math.floor(position / GRANULARITY) * GRANULARITY;
  const bytes = position - begin + 4 * count;
  if (libc === undefined || position % 4 !== 0 || count === 0) return undefined;
  if (position + 4 * count > fstatSync(file).size) return undefined; // beyond its end there is no memory
  const address = libc.mmap(0n, bytes, READ, PRIVATE | POPULATE, file, begin); // populated while writable, all is copied
  if (address === null || BigInt.asIntN(64, address) === FAILED) return undefined;
  libc.mprotect(address, bytes, READ_WRITE);
  const first = address + BigInt(position - begin);
  const buffer = memoryAt(first, 4 * count);
  places.set(buffer, { address: first, bytes: 4 * count });
  unmapped.register(buffer, { address, bytes });
  return new Float32Array(buffer);
}

/** The place of values that `mapFloats` gave; undefined of all others. They must be kept while it is in use. */
export function placeOf({ buffer, byteOffset, byteLength }: Float32Array): Place | undefined {
  const place = places.get(buffer);
  return place && { address: place.address + BigInt(byteOffset), bytes: byteLength };
}

/** The values at a place that another thread has mapped, as long as it keeps them. */
export function valuesAt({ address, bytes }: Place): Float32Array {
  return new Float32Array(memoryAt(address, bytes));
}

/**
 * Takes a file's pages, where they are mapped to be shared, out of this process's memory; they come back from the system's
 * cache when they are looked at again. Private mappings stay: what was written to one is nowhere else, and the number by
 * which a file is told may be another file's on another disk. Does nothing on other systems than Linux, which count such
 * pages as the process's own.
 */
export function releasePages(path: string): void {
  const libc = process.platform === "linux" ? systemCalls() : undefined;
  if (libc === undefined) return;
  const inode = String(statSync(path).ino); // names are escaped there, and may have changed
  for (const line of readFileSync("/proc/self/maps", "latin1").split("\n")) {
    const [range = "", permissions = "", , , mapped] = line.split(/ +/, 5);
    if (mapped !== inode || !permissions.endsWith("s")) continue;
    const [begin, end] = range.split("-").map((address) => BigInt(`0x${address}`));
    if (begin === undefined || end === undefined) continue;
    libc.madvise(begin, Number(end - begin), DONT_NEED);
  }
}

const signatures = {
  mmap: ["void *", "void *", "size_t", "int", "int", "int", "int64"],
  mprotect: ["int", "void *", "size_t", "int"],
  munmap: ["int", "void *", "size_t"],
  madvise: ["int", "void *", "size_t", "int"],
} as const;

/** Undefined on other systems than Linux and macOS, where the flags above are others. */
function systemCalls() {
  bound ??= isKnown ? processLibrary()?.bind(signatures) : undefined;
  return bound;
}

const isKnown = ["linux", "darwin"].includes(process.platform);
let bound: NativeFunctions<typeof signatures> | undefined;
