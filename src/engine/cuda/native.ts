import koffi, { type LibraryHandle } from "koffi";
import { AlexnetError } from "../../errors.js";
import { candidates, type LibraryName, libraries, whereLooked } from "./find.js";
import { plainCalls as plain, type plainCalls, type Signatures } from "./signatures.js";

/** An address in this process or on the device, or a handle of a library. */
export type Pointer = bigint;

/** A native call whose status is checked. */
export type Call = (...values: unknown[]) => void;
export type Calls<S extends Signatures> = { readonly [K in keyof S]: Call };

export interface NativeLibrary {
  readonly handle: LibraryHandle;
  readonly path: string;
}

/**
 * Loads a library from the first place that has it.
 * @throws AlexnetError "engine" naming what is missing, where it was looked for and what to install.
 */
export function load(name: LibraryName, driverVersion?: number): NativeLibrary {
  const { title, install } = libraries[name];
  const tried: string[] = [];
  for (const path of candidates(name, driverVersion)) {
    try {
      return { handle: koffi.load(path, { global: true }), path }; // global: libraries find each other by their names
    } catch (error) {
      tried.push(`${path}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new AlexnetError(
    "engine",
    `${title} could not be loaded; ${install}. Looked in ${whereLooked(name)}. Tried:\n  ${tried.join("\n  ")}`,
  );
}

/** What is under way, for errors: "conv1 forward". */
export interface Scene {
  doing: string;
}

/**
 * Binds all of a table's functions, so that every call's status is checked.
 * @param explain the library's own text for a status
 */
export function bind<S extends Signatures>(
  library: NativeLibrary,
  title: string,
  signatures: S,
  scene: Scene,
  explain: (status: number) => string,
): Calls<S> {
  const calls = Object.entries(signatures).map(([name, types]) => {
    const native = library.handle.func(name, "int", [...types]);
    const call: Call = (...values) => {
      const status: unknown = native(...values);
      if (status !== 0) throw new NativeError(title, name, Number(status), scene.doing, explain(Number(status)));
    };
    return [name, call];
  });
  return Object.fromEntries(calls) as Calls<S>; // one entry for each of the table's
}

/** A native call that failed; callers may ask for the status. */
export class NativeError extends AlexnetError {
  constructor(
    title: string,
    call: string,
    readonly status: number,
    doing: string,
    text: string,
  ) {
    super("engine", `${title}: ${call}${doing === "" ? "" : ` (${doing})`}: ${text}`);
  }
}

/** Binds a function that gives a text or a number, which nobody checks. */
export function bindPlain(library: NativeLibrary, name: keyof typeof plainCalls): (...values: unknown[]) => unknown {
  const [result, ...types] = plain[name];
  return library.handle.func(name, result, types);
}

/** Calls `create`, which writes a handle or an address to its argument, and gives that. */
export function created(create: (out: BigUint64Array) => void): Pointer {
  const out = new BigUint64Array(1);
  create(out);
  return out[0];
}

/** Calls `write`, which writes an int to its argument, and gives that. */
export function integer(write: (out: Int32Array) => void): number {
  const out = new Int32Array(1);
  write(out);
  return out[0];
}

/** The address of memory that doesn't move as long as `values` is referred to. */
export function addressOf(values: ArrayBufferView): Pointer {
  return koffi.address(values);
}

/** A text at an address. */
export function textAt(address: Pointer): string {
  return address === 0n ? "" : String(koffi.decode(address, "char", -1));
}
