import type { LibraryHandle } from "koffi";
import { AlexnetError } from "../../errors.js";
import { koffi } from "./koffi.js";
import type { Pointer } from "./memory.js";
import type {
  ArgumentType,
  CheckedFunctions,
  NativeFunctions,
  ResultType,
  Signatures,
  StatusSignatures,
  WaitingFunctions,
} from "./signatures.js";

/** A library that is loaded into this process. */
export class NativeLibrary {
  readonly #handle: LibraryHandle;

  constructor(
    /** The file, or the name by which the system's loader found it. */
    readonly path: string,
    handle: LibraryHandle,
  ) {
    this.#handle = handle;
  }

  /** The functions of a table, by their names. @throws AlexnetError "engine" when the library lacks one of them */
  bind<const T extends Signatures>(table: T): NativeFunctions<T> {
    const functions = Object.entries(table).map(([name, [result, ...types]]) => [
      name,
      this.#function(name, result, types),
    ]);
    return Object.fromEntries(functions) as NativeFunctions<T>; // one for each of the table's, of its types
  }

  /**
   * The functions of a table of those that give a status.
   * @param check told the status after every call; throws when it means a failure
   * @throws AlexnetError "engine" when the library lacks one of them
   */
  bindChecked<const T extends StatusSignatures>(
    table: T,
    check: (status: number, name: string) => void,
  ): CheckedFunctions<T> {
    const functions = Object.entries(table).map(([name, types]) => {
      const call = this.#function(name, "int", types);
      const checked = (...values: unknown[]): void => {
        check(Number(call(...values)), name);
      };
      return [name, checked];
    });
    return Object.fromEntries(functions) as CheckedFunctions<T>; // one for each of the table's, of its types
  }

  /**
   * The functions of a table, called on a thread of Node.js's own pool. What is passed must stay where it is until the
   * answer.
   * @throws AlexnetError "engine" when the library lacks one of them
   */
  bindWaiting<const T extends Signatures>(table: T): WaitingFunctions<T> {
    const functions = Object.entries(table).map(([name, [result, ...types]]) => {
      const native = this.#find(name, result, types);
      const call = (...values: unknown[]): Promise<unknown> =>
        new Promise((answer, fail) => {
          native.async(...values, (error: Error | null, value: unknown) => (error ? fail(error) : answer(value)));
        });
      return [name, call];
    });
    return Object.fromEntries(functions) as WaitingFunctions<T>; // one for each of the table's, of its types
  }

  /** Where a symbol of the library lies; undefined where it has none of that name. */
  address(symbol: string): Pointer | undefined {
    try {
      return this.#handle.symbol(symbol);
    } catch {
      return undefined;
    }
  }

  /** The one place where what is passed has no type: tables give it one. */
  #function(name: string, result: ResultType, types: readonly ArgumentType[]): (...values: unknown[]) => unknown {
    const native = this.#find(name, result, types);
    return types.includes("void *") ? (...values) => native(...values.map(passed)) : native;
  }

  #find(name: string, result: ResultType, types: readonly ArgumentType[]): ReturnType<LibraryHandle["func"]> {
    try {
      return this.#handle.func(name, result, [...types]);
    } catch (error) {
      throw new AlexnetError("engine", `${this.path} has no function ${name}: it is another version of the library`, {
        cause: error,
      });
    }
  }
}

/** A native object's address in its place. */
function passed(value: unknown): unknown {
  const isHandle = typeof value === "object" && value !== null && "address" in value;
  return isHandle ? value.address : value;
}

export interface LoadOptions {
  /** Libraries loaded later find its functions by their names. */
  readonly global?: boolean;
}

/** What became of looking for a library: the library, or a line for each place that was tried. */
export type Found = { readonly library: NativeLibrary } | { readonly tried: readonly string[] };

/** Loads a library from the first of the files and names that the system's loader takes. */
export function findLibrary(candidates: readonly string[], { global = false }: LoadOptions = {}): Found {
  const tried: string[] = [];
  for (const path of candidates) {
    try {
      return { library: new NativeLibrary(path, koffi().load(path, { global })) };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      tried.push(text.includes(path) ? text : `${path}: ${text}`);
    }
  }
  return { tried };
}

export interface WantedLibrary extends LoadOptions {
  /** "oneDNN" */
  readonly title: string;
  /** Files, or names for the system's loader to find, in the order in which they are tried. */
  readonly candidates: readonly string[];
  /** How it is had, as an imperative clause: "install it with `apt install libdnnl2`". */
  readonly install: string;
  /** Where the candidates come from, for people. */
  readonly whereLooked?: string;
}

/** @throws AlexnetError "engine" naming what is missing, what was tried and how it is had */
export function loadLibrary({ title, candidates, install, whereLooked, global }: WantedLibrary): NativeLibrary {
  const found = findLibrary(candidates, { global });
  if ("library" in found) return found.library;
  const looked = whereLooked === undefined ? "" : `Looked in ${whereLooked}. `;
  const tried = found.tried.join("\n  ");
  throw new AlexnetError("engine", `${title} could not be loaded; ${install}. ${looked}Tried:\n  ${tried}`);
}

let own: NativeLibrary | undefined;

/** What is loaded into this process already, the C library among it; undefined on Windows. */
export function processLibrary(): NativeLibrary | undefined {
  if (process.platform === "win32") return undefined;
  own ??= new NativeLibrary("this process", koffi().load(null));
  return own;
}

/**
 * Keeps a library in memory until the process ends: what a thread had loaded is unloaded when it ends, though threads
 * that the library started may still be running its code.
 */
export function keepLoaded({ path }: NativeLibrary): void {
  const RTLD_NOW_AND_NODELETE = process.platform === "darwin" ? 0x82 : 0x1002;
  processLibrary()
    ?.bind({ dlopen: ["void *", "str", "int"] })
    .dlopen(path, RTLD_NOW_AND_NODELETE);
}

/** The number by which the C library says why the last native call of this thread failed. */
export function lastErrorNumber(): number {
  return koffi().errno();
}

/** The number of an error on this system by its name in C: "EWOULDBLOCK"; undefined where there is none. */
export function errorNumber(name: string): number | undefined {
  return koffi().os.errno[name];
}
