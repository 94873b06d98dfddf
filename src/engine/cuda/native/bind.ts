import { AlexnetError } from "../../../errors.js";
import { loadLibrary, type NativeLibrary } from "../../../system/native/library.js";
import type { CheckedFunctions, StatusSignatures } from "../../../system/native/signatures.js";
import { candidates, type LibraryName, libraries, whereLooked } from "./find.js";

/**
 * Loads a library from the first place that has it.
 * @throws AlexnetError "engine" naming what is missing, where it was looked for and what to install.
 */
export function load(name: LibraryName, driverVersion?: number): NativeLibrary {
  const { title, install } = libraries[name];
  return loadLibrary({
    title,
    install,
    candidates: candidates(name, driverVersion),
    whereLooked: whereLooked(name),
    global: true, // the libraries find each other by their names
  });
}

/** What is under way, for errors: "conv1 forward". */
export interface Scene {
  doing: string;
}

/**
 * Binds all of a table's functions, so that every call's status is checked.
 * @param explain the library's own text for a status
 */
export function bind<const T extends StatusSignatures>(
  library: NativeLibrary,
  title: string,
  table: T,
  scene: Scene,
  explain: (status: number) => string,
): CheckedFunctions<T> {
  return library.bindChecked(table, (status, name) => {
    if (status !== 0) throw new NativeError(title, name, status, scene.doing, explain(status));
  });
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

/** "9.10.2" of 91002, as the libraries number their versions. */
export function versionText(version: number | bigint): string {
  const number = Number(version);
  return `${Math.floor(number / 10_000)}.${Math.floor(number / 100) % 100}.${number % 100}`;
}
