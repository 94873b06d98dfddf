import { fileURLToPath } from "node:url";
import { AlexnetError } from "../errors.js";
import { describeFault, loadPicture } from "../images/picture.js";
import type { PictureInput } from "../store/reading/file-batches.js";

/** A picture in any form: a path, a file: URL, an image file's bytes, or a Blob such as a browser's or a form's File. */
export type PictureSource = string | URL | Uint8Array | ArrayBuffer | PictureBlob;

/** What of a Blob is used; every Blob and File has it. */
export interface PictureBlob {
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * @param name what errors call the source if it has no path: "pictures[2]"
 * @throws AlexnetError "invalid-option" for a URL that isn't file:, and for what is no picture at all.
 */
export function inputOf(source: PictureSource, name: string): PictureInput {
  if (typeof source === "string") return /^[a-z][a-z\d+.-]+:\/\//i.test(source) ? pathOf(source) : source;
  if (source instanceof URL) return pathOf(source.href);
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof source === "object" && source !== null && typeof source.arrayBuffer === "function")
    return async () => new Uint8Array(await source.arrayBuffer());
  throw new AlexnetError(
    "invalid-option",
    `${name}: ${source === null ? "null" : `a value of type ${typeof source}`} is no picture; give a path, a file: URL, bytes or a Blob`,
  );
}

function pathOf(url: string): string {
  if (!/^file:/i.test(url))
    throw new AlexnetError("invalid-option", `${url}: only file: URLs are read; fetch it and give its bytes`);
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new AlexnetError("invalid-option", `${url}: names no file of this machine`, { cause });
  }
}

/** What errors and results call an input: its path, or `name`. */
export function nameOf(input: PictureInput, name: string): string {
  return typeof input === "string" ? input : name;
}

/** Decodes one picture, (size, size, 3). @throws AlexnetError "unreadable-picture" naming it. */
export async function loadInput(input: PictureInput, name: string, size: number): Promise<Uint8Array> {
  if (typeof input === "string") return loadPicture(input, { size });
  try {
    return await loadPicture(typeof input === "function" ? await input() : input, { size });
  } catch (error) {
    throw new AlexnetError("unreadable-picture", `${name}: ${describeFault(error)}`, { cause: error });
  }
}
