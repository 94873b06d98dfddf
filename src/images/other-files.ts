import { extname } from "node:path";
import { thousands } from "../text.js";

/** Raw files of cameras, which lie beside JPEGs of the same pictures more often than not: they are left aside. */
const rawExtensions = new Set(".cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .dng .orf .rw2 .raf .pef .srw .x3f".split(" "));

/** Counts the files beside pictures that are not looked at, by their extensions. */
export class OtherFiles {
  readonly #counts = new Map<string, { readonly as: string; count: number }>();

  add(name: string): void {
    const extension = extname(name);
    const key = extension.toLowerCase();
    const kind = this.#counts.get(key) ?? { as: extension === "" ? "without an extension" : extension, count: 0 };
    kind.count++;
    this.#counts.set(key, kind);
  }

  clear(): void {
    this.#counts.clear();
  }

  /** "12 .CR2 and 3 .txt were not looked at; …", the commonest first; undefined where there are none. */
  describe(): string | undefined {
    const kinds = [...this.#counts.values()].sort((a, b) => b.count - a.count);
    if (kinds.length === 0) return undefined;
    const isOne = kinds.reduce((sum, { count }) => sum + count, 0) === 1;
    const listed = kinds.slice(0, LISTED).map(({ as, count }) => `${thousands(count)} ${as}`);
    const more = kinds.slice(LISTED).reduce((sum, { count }) => sum + count, 0);
    if (more > 0) listed.push(`${thousands(more)} others`);
    const hasRaw = [...this.#counts.keys()].some((extension) => rawExtensions.has(extension));
    const advice = hasRaw ? "; raw files of cameras have to be saved as JPEG first" : "";
    return `${listed.join(", ")} ${isOne ? "was" : "were"} not looked at, being no picture${isOne ? "" : "s"} by ${isOne ? "its name" : "their names"}${advice}`;
  }
}

const LISTED = 8; // kinds
