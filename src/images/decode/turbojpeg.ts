import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { AlexnetError } from "../../errors.js";
import { findLibrary, type NativeLibrary } from "../../system/native/library.js";
import { addressOf } from "../../system/native/memory.js";
import type { Signatures } from "../../system/native/signatures.js";

/** What libjpeg-turbo's header reading tells. */
export interface TurbojpegHeader {
  readonly width: number;
  readonly height: number;
  /** CMYK and its YCCK form are not turned into RGB by this library. */
  readonly isRgb: boolean;
}

/** libjpeg-turbo by its TurboJPEG C API, versions 2 and 3. Its handles belong to the thread that opened it. */
export interface Turbojpeg {
  /** "libturbojpeg.so.0" */
  readonly name: string;
  /** Undefined when it can't read the file. */
  readHeader(jpeg: Uint8Array): TurbojpegHeader | undefined;
  /**
   * Decodes to RGB at `eighths` eighths of its size, rounded up, into `pixels`.
   * @returns false when anything at all was wrong with the file; `pixels` then has something or nothing of it
   */
  decode(jpeg: Uint8Array, size: { readonly width: number; readonly height: number }, pixels: Uint8Array): boolean;
  /** RGB pixels as a JPEG with full colour resolution. It is good until the next call: its memory is used again. */
  encode(pixels: Uint8Array, width: number, height: number, quality: number): Uint8Array;
}

const RGB = 0; // TJPF_RGB
const FULL_COLOUR = 0; // TJSAMP_444
const CMYK = 3; // TJCS_CMYK; TJCS_YCCK follows
const ACCURATE_DCT = 4096;
const STOP_ON_WARNING = 8192;
const LIMIT_SCANS = 32768; // a progressive file of thousands of scans is made to waste time
const NO_REALLOC = 1024;

let opened: Turbojpeg | null | undefined; // null: looked for and not found

/** The library on this thread, opened on the first call; undefined where it isn't installed. */
export function findTurbojpeg(): Turbojpeg | undefined {
  if (opened === undefined) opened = open() ?? null;
  return opened ?? undefined;
}

/** Where it may be, in order: the user's word ("none" for nowhere), the npm package that brings it, the system. */
function candidates(): readonly string[] {
  const chosen = process.env.ALEXNET_TURBOJPEG_PATH;
  if (chosen) return chosen === "none" ? [] : [chosen];
  return [...packaged(), ...(systemNames[process.platform] ?? [])];
}

const systemNames: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libturbojpeg.so.0"],
  darwin: ["/opt/homebrew/opt/jpeg-turbo/lib/libturbojpeg.dylib", "/usr/local/opt/jpeg-turbo/lib/libturbojpeg.dylib"],
};

/** The package's own interface has neither scaling nor strictness; the library in it has both. */
function packaged(): readonly string[] {
  const { platform, arch } = process;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve("@julusian/jpeg-turbo/package.json"));
    return [`${platform}-${arch}`, `${platform}-${arch}-musl`]
      .map((built) => join(folder, "prebuilds", `jpeg-turbo-${built}`, "libturbojpeg.so.0"))
      .filter((path) => existsSync(path));
  } catch {
    return []; // an optional package
  }
}

function open(): Turbojpeg | undefined {
  const found = findLibrary(candidates());
  return "library" in found ? bind(found.library) : undefined;
}

const signatures = {
  tjInitDecompress: ["void *"],
  tjInitCompress: ["void *"],
  tjDestroy: ["int", "void *"],
  tjGetErrorStr2: ["str", "void *"],
  /** handle, JPEG and its bytes; width, height, subsampling, colour space */
  tjDecompressHeader3: ["int", "void *", "void *", "ulong", "void *", "void *", "void *", "void *"],
  /** handle, JPEG and its bytes; pixels, width, bytes a row, height, format, flags */
  tjDecompress2: ["int", "void *", "void *", "ulong", "void *", "int", "int", "int", "int", "int"],
  /** handle, pixels, width, bytes a row, height, format; address of the JPEG, its bytes, subsampling, quality, flags */
  tjCompress2: ["int", "void *", "void *", "int", "int", "int", "int", "void *", "void *", "int", "int", "int"],
  tjBufSize: ["ulong", "int", "int", "int"],
} as const satisfies Signatures;

function bind(library: NativeLibrary): Turbojpeg {
  const calls = library.bind(signatures);
  let decompressor = calls.tjInitDecompress();
  const compressor = calls.tjInitCompress();
  let compressed = new Uint8Array(); // kept from one picture to the next
  return {
    name: basename(library.path),
    readHeader(jpeg) {
      const [width, height, subsampling, colourSpace] = [int(), int(), int(), int()];
      const status = calls.tjDecompressHeader3(
        decompressor,
        jpeg,
        jpeg.length,
        width,
        height,
        subsampling,
        colourSpace,
      );
      if (status !== 0) {
        // It stays in the middle of that header, and would find every other file damaged from then on.
        calls.tjDestroy(decompressor);
        decompressor = calls.tjInitDecompress();
        return undefined;
      }
      const [[columns = 0], [rows = 0], [space = 0]] = [width, height, colourSpace];
      if (columns < 1 || rows < 1) return undefined; // a file without frame gives 0x0
      return { width: columns, height: rows, isRgb: space < CMYK };
    },
    decode(jpeg, { width, height }, pixels) {
      const flags = ACCURATE_DCT | STOP_ON_WARNING | LIMIT_SCANS;
      return calls.tjDecompress2(decompressor, jpeg, jpeg.length, pixels, width, 0, height, RGB, flags) === 0;
    },
    encode(pixels, width, height, quality) {
      const needed = Number(calls.tjBufSize(width, height, FULL_COLOUR));
      if (compressed.length < needed) compressed = new Uint8Array(needed);
      const target = BigUint64Array.of(addressOf(compressed));
      const size = BigUint64Array.of(BigInt(compressed.length));
      const flags = ACCURATE_DCT | NO_REALLOC;
      const status = calls.tjCompress2(
        compressor,
        pixels,
        width,
        0,
        height,
        RGB,
        target,
        size,
        FULL_COLOUR,
        quality,
        flags,
      );
      if (status !== 0)
        throw new AlexnetError(
          "unreadable-picture",
          `libjpeg-turbo could not compress: ${calls.tjGetErrorStr2(compressor)}`,
        );
      const [bytes = 0n] = size;
      return compressed.subarray(0, Number(bytes));
    },
  };
}

/** What a function writes an int to. */
function int(): Int32Array {
  return new Int32Array(1);
}
