import { statSync } from "node:fs";
import { basename } from "node:path";
import { describeFault } from "../../images/picture.js";
import type { Fault, Item, Place } from "./source.js";
import { type Bytes, type TarEntry, withFile } from "./tar.js";

/** What an archive holds; a fault where it can't be opened. */
export function* listArchive(
  path: string,
  list: (file: Bytes, stamp: string) => Iterable<Item | Fault>,
): Generator<Item | Fault> {
  try {
    const stamp = stampOf(path);
    yield* withFile(path, (file) => list(file, stamp));
  } catch (error) {
    yield { name: basename(path), reason: describeFault(error), isPartial: true };
  }
}

/** What each entry stands for, and a fault where the archive turns out to be cut or damaged. */
export function* untilDamaged<T>(
  archive: string,
  entries: Iterable<T>,
  describe: (entry: T) => Iterable<Item | Fault>,
): Generator<Item | Fault> {
  try {
    for (const entry of entries) yield* describe(entry);
  } catch (error) {
    yield { name: archive, reason: describeFault(error), isPartial: true };
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
