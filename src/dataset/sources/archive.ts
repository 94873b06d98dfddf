import { statSync } from "node:fs";
import { describeFault } from "../../images/picture.js";
import type { Fault, Item, Place } from "./source.js";
import type { TarEntry } from "./tar.js";

/** What each entry stands for, and a fault where the archive turns out to be cut or damaged. */
export function* untilDamaged<T>(
  archive: string,
  entries: Iterable<T>,
  describe: (entry: T) => Iterable<Item | Fault>,
): Generator<Item | Fault> {
  try {
    for (const entry of entries) yield* describe(entry);
  } catch (error) {
    yield { name: archive, reason: describeFault(error) };
  }
}

export function placeOf({ offset, length }: TarEntry, path: string): Place {
  return { kind: "range", path, offset, length };
}

/** Changes when a file is written to. Of an archive it stands for all that is in it. */
export function stampOf(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${size} ${mtimeMs}`;
}
