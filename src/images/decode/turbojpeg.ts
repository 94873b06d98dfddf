import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import koffi, { type LibraryHandle } from "koffi";
import { AlexnetError } from "../../errors.js";

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
  for (const path of candidates()) {
    let library: LibraryHandle;
    try {
      library = koffi.load(path);
    } catch {
      continue;
    }
    return bind(library, basename(path));
  }
  return undefined;
}

function bind(library: LibraryHandle, name: string): Turbojpeg {
  const decompressor: unknown = library.func("void *tjInitDecompress()")();
  const compressor: unknown = library.func("void *tjInitCompress()")();
  const readError = library.func("str tjGetErrorStr2(void *handle)");
  const decompressHeader = library.func(
    "int tjDecompressHeader3(void *handle, const uint8_t *jpeg, unsigned long size, " +
      "_Out_ int *width, _Out_ int *height, _Out_ int *subsampling, _Out_ int *colourspace)",
  );
  const decompress = library.func(
    "int tjDecompress2(void *handle, const uint8_t *jpeg, unsigned long size, " +
      "uint8_t *pixels, int width, int pitch, int height, int format, int flags)",
  );
  const compress = library.func(
    "int tjCompress2(void *handle, const uint8_t *pixels, int width, int pitch, int height, int format, " +
      "_Inout_ void **jpeg, _Inout_ unsigned long *size, int subsampling, int quality, int flags)",
  );
  const largest = library.func("unsigned long tjBufSize(int width, int height, int subsampling)");
  let compressed = new Uint8Array(); // kept from one picture to the next
  return {
    name,
    readHeader(jpeg) {
      const outputs: readonly [number][] = [[0], [0], [0], [0]];
      const status = decompressHeader(decompressor, jpeg, jpeg.length, ...outputs);
      const [width = 0, height = 0, _subsampling, colourspace = 0] = outputs.flat();
      if (status !== 0 || width < 1 || height < 1) return undefined; // a file without frame gives 0x0
      return { width, height, isRgb: colourspace < CMYK };
    },
    decode(jpeg, { width, height }, pixels) {
      const flags = ACCURATE_DCT | STOP_ON_WARNING | LIMIT_SCANS;
      return decompress(decompressor, jpeg, jpeg.length, pixels, width, 0, height, RGB, flags) === 0;
    },
    encode(pixels, width, height, quality) {
      const needed = Number(largest(width, height, FULL_COLOUR));
      if (compressed.length < needed) compressed = new Uint8Array(needed);
      const size = [compressed.length];
      const flags = ACCURATE_DCT | NO_REALLOC;
      if (compress(compressor, pixels, width, 0, height, RGB, [compressed], size, FULL_COLOUR, quality, flags) !== 0)
        throw new AlexnetError("unreadable-picture", `libjpeg-turbo could not compress: ${readError(compressor)}`);
      return compressed.subarray(0, size[0]);
    },
  };
}
