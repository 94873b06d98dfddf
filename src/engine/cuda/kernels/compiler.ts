import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AlexnetError } from "../../../errors.js";
import { cacheFolder } from "../../../system/cache-folder.js";
import { writeWhole } from "../../../system/files.js";
import { addressOf, writtenInteger, writtenPointer } from "../../../system/native/memory.js";
import { withOwner } from "../../../system/native/objects.js";
import type { CheckedFunctions } from "../../../system/native/signatures.js";
import { bind, load, NativeError, type Scene } from "../native/bind.js";
import type { DeviceFacts } from "../native/driver.js";
import { compilerAnswers, compilerCalls } from "../native/signatures.js";

/** CUDA C lies beside the layers that use it, in the sources: it is read from there. */
const sourceFolder = fileURLToPath(new URL("../../../../src/engine/cuda/kernels/", import.meta.url));

/** Included by all. */
const HEADER = "numbers.cuh";

/** What a kernel is compiled for: names that its source leaves open. */
export type Definitions = Readonly<Record<string, number | string>>;

/** NVRTC. */
export interface Compiler {
  /** "12.9" */
  readonly version: string;
  readonly path: string;
  /** That it compiles for, rising: 90 is sm_90. */
  readonly architectures: readonly number[];
  /** @throws AlexnetError "engine" with the compiler's log. */
  compile(file: string, architecture: string, definitions: Definitions, options?: readonly string[]): Compiled;
}

export interface Compiled {
  readonly image: Uint8Array;
  readonly log: string;
}

/** @throws AlexnetError "engine" when NVRTC can't be loaded. */
export function openCompiler(scene: Scene, driverVersion?: number): Compiler {
  const library = load("nvrtc", driverVersion);
  const { nvrtcGetErrorString } = library.bind(compilerAnswers);
  const calls = bind(library, "NVRTC", compilerCalls, scene, (status) => String(nvrtcGetErrorString(status)));
  const minor = new Int32Array(1);
  const major = writtenInteger((out) => calls.nvrtcVersion(out, minor));
  return {
    version: `${major}.${minor[0]}`,
    path: library.path,
    architectures: supportedArchitectures(calls),
    compile: (file, architecture, definitions, options = []) =>
      compile(calls, file, [...flags(architecture, definitions), ...options]),
  };
}

function supportedArchitectures(calls: CheckedFunctions<typeof compilerCalls>): readonly number[] {
  const found = new Int32Array(writtenInteger((out) => calls.nvrtcGetNumSupportedArchs(out)));
  calls.nvrtcGetSupportedArchs(found);
  return [...found].sort((a, b) => a - b);
}

/**
 * What to compile for so that a device runs it: its own architecture, or the latest before it of the same generation.
 * @throws AlexnetError "engine" when the compiler is older than the device.
 */
export function architectureFor(
  { version, architectures }: Pick<Compiler, "version" | "architectures">,
  { name, major, minor }: Pick<DeviceFacts, "name" | "major" | "minor">,
): string {
  const own = 10 * major + minor;
  const fitting = architectures.findLast((each) => each <= own && Math.floor(each / 10) === major);
  if (fitting !== undefined) return `sm_${fitting}`;
  throw new AlexnetError(
    "engine",
    `${name}: NVRTC ${version} compiles for up to sm_${architectures.at(-1)}, not for sm_${own}; install a newer CUDA toolkit, or \`pip install -U nvidia-cuda-nvrtc\``,
  );
}

function flags(architecture: string, definitions: Definitions): readonly string[] {
  return [
    `--gpu-architecture=${architecture}`,
    "--std=c++17",
    ...Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`),
  ];
}

function compile(calls: CheckedFunctions<typeof compilerCalls>, file: string, options: readonly string[]): Compiled {
  const [headers, names] = [pointers([readSource(HEADER)]), pointers([HEADER])];
  return withOwner((owner) => {
    const program = owner.create(
      "NVRTC program",
      (out) => calls.nvrtcCreateProgram(out, readSource(`${file}.cu`), `${file}.cu`, 1, headers.array, names.array),
      (address) => calls.nvrtcDestroyProgram(BigUint64Array.of(address)),
    );
    const bytes = (
      size: "nvrtcGetCUBINSize" | "nvrtcGetProgramLogSize",
      get: "nvrtcGetCUBIN" | "nvrtcGetProgramLog",
    ): Uint8Array => {
      const values = new Uint8Array(Number(writtenPointer((out) => calls[size](program, out))));
      calls[get](program, values);
      return values;
    };
    const log = (): string =>
      new TextDecoder().decode(bytes("nvrtcGetProgramLogSize", "nvrtcGetProgramLog").slice(0, -1));
    const flagPointers = pointers(options); // referred to until the compiler is through
    try {
      calls.nvrtcCompileProgram(program, flagPointers.texts.length, flagPointers.array);
    } catch (error) {
      if (!(error instanceof NativeError)) throw error;
      throw new AlexnetError("engine", `${file}.cu: ${error.message}\n${options.join(" ")}\n${log()}`, {
        cause: error,
      });
    }
    return { image: bytes("nvrtcGetCUBINSize", "nvrtcGetCUBIN"), log: log() };
  });
}

/** An array of C strings; `texts` keeps them alive. */
function pointers(strings: readonly string[]) {
  const texts = strings.map((text) => new TextEncoder().encode(`${text}\0`));
  return { array: BigUint64Array.from(texts, addressOf), texts };
}

export function readSource(file: string): string {
  return readFileSync(join(sourceFolder, file), "utf8");
}

/**
 * The machine code of a kernel's file: from the cache, or compiled and kept there. A cache that can't be read or
 * written costs time only.
 */
export function compileCached(
  compiler: Compiler,
  file: string,
  architecture: string,
  definitions: Definitions,
): Uint8Array {
  const key = createHash("sha256")
    .update([compiler.version, HEADER, readSource(HEADER), file, readSource(`${file}.cu`)].join("\0"))
    .update(flags(architecture, definitions).join("\0"))
    .digest("hex");
  const path = join(cacheFolder(), "kernels", `${file}-${architecture}-${key.slice(0, 32)}.bin`);
  const kept = readKept(path);
  if (kept !== undefined) return kept;
  const { image } = compiler.compile(file, architecture, definitions);
  try {
    mkdirSync(join(cacheFolder(), "kernels"), { recursive: true });
    writeWhole(path, [digest(image), image]);
  } catch {
    // Compiled again the next time.
  }
  return image;
}

/** The image in a file that holds its digest before it; undefined where there is none or it is damaged. */
function readKept(path: string): Uint8Array | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const bytes = readFileSync(path);
    const image = bytes.subarray(DIGEST_BYTES);
    return digest(image).equals(bytes.subarray(0, DIGEST_BYTES)) ? Uint8Array.from(image) : undefined;
  } catch {
    return undefined;
  }
}

const DIGEST_BYTES = 32;

function digest(image: Uint8Array): Buffer {
  return createHash("sha256").update(image).digest();
}
