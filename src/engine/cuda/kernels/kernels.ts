import { addressOf, writtenPointer } from "../../../system/native/memory.js";
import { type Handle, Owner } from "../../../system/native/objects.js";
import type { Device, Driver } from "../native/driver.js";
import { architectureFor, type Compiler, compileCached, type Definitions } from "./compiler.js";

/** Threads a block, for kernels that don't care. */
export const BLOCK_THREADS = 256;

/** An address, a 64-bit number as bigint, or a 32-bit whole number. */
export type KernelArgument = bigint | number;

/** A kernel of a .cu file, compiled for some definitions. */
export interface Kernel {
  /** What puts it on the stream, with arguments that stay. */
  prepare(blocks: number, threads: number, args: readonly KernelArgument[]): () => void;
}

/** This project's own kernels, compiled when they are first asked for. */
export class Kernels {
  readonly #modules = new Map<string, Handle<"module">>();
  readonly #owner = new Owner();
  readonly #calls: Driver["calls"];
  readonly #device: Device;
  readonly #compiler: Compiler;
  readonly #architecture: string;
  readonly #common: Definitions;

  /**
   * @param common definitions that all kernels get, unless they bring their own
   * @throws AlexnetError "engine" when the compiler does not know the device
   */
  constructor(driver: Driver, device: Device, compiler: Compiler, common: Definitions) {
    this.#calls = driver.calls;
    this.#device = device;
    this.#compiler = compiler;
    this.#architecture = architectureFor(compiler, device.facts);
    this.#common = common;
  }

  /** The kernel `name` of `file`.cu. */
  get(file: string, name: string, definitions: Definitions): Kernel {
    const calls = this.#calls;
    const kernel = writtenPointer((out) => calls.cuModuleGetFunction(out, this.#module(file, definitions), name));
    const { stream } = this.#device;
    return {
      prepare(blocks, threads, args) {
        const values = args.map((value) =>
          typeof value === "bigint" ? BigUint64Array.of(value) : Int32Array.of(value),
        );
        const parameters = BigUint64Array.from(values, addressOf);
        return () => {
          calls.cuLaunchKernel(kernel, blocks, 1, 1, threads, 1, 1, 0, stream, parameters, null);
          return values; // alive as long as they are pointed to
        };
      },
    };
  }

  /** One thread for each of `count` pieces of work. */
  each(
    file: string,
    name: string,
    definitions: Definitions,
    count: number,
    args: readonly KernelArgument[],
  ): () => void {
    return this.get(file, name, definitions).prepare(Math.ceil(count / BLOCK_THREADS), BLOCK_THREADS, args);
  }

  close(): void {
    this.#modules.clear();
    this.#owner.close();
  }

  #module(file: string, own: Definitions): Handle<"module"> {
    const definitions = { ...this.#common, ...own };
    const key = `${file} ${JSON.stringify(definitions)}`;
    const known = this.#modules.get(key);
    if (known !== undefined) return known;
    const image = compileCached(this.#compiler, file, this.#architecture, definitions);
    const calls = this.#calls;
    const module = this.#owner.create("module", (out) => calls.cuModuleLoadData(out, image), calls.cuModuleUnload);
    this.#modules.set(key, module);
    return module;
  }
}

/** A float constant as CUDA C writes it. */
export function float(value: number): string {
  const text = String(Math.fround(value));
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}

/** The most neighbours, up to 8, that divide `count`. */
export function vectorOf(count: number): number {
  return [8, 4, 2].find((width) => count % width === 0) ?? 1;
}
