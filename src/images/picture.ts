import { readFile } from "node:fs/promises";
import { AlexnetError } from "../errors.js";
import { type DecodeOptions, decodePicture } from "./decode/decode.js";

/**
 * Any image file, or its bytes, as a network sees it: (size, size, 3), 0 to 255, red, green, blue, upright; the shorter
 * side scaled to the size, 256 by default, and the centre cropped (paper section 2). Greyscale, CMYK, 16-bit and transparent pictures
 * become 8-bit sRGB, transparency white.
 * @throws AlexnetError "unreadable-picture": `goldfish/0012.jpg: truncated JPEG (14 kB)`.
 */
export async function loadPicture(source: string | Uint8Array, options: DecodeOptions = {}): Promise<Uint8Array> {
  if (typeof source !== "string") return decodePicture(source, options);
  try {
    return await decodePicture(await readFile(source), options);
  } catch (error) {
    throw new AlexnetError("unreadable-picture", `${source}: ${describeFault(error)}`, { cause: error });
  }
}

/** What isn't UTF-8 in a name reads as U+FFFD, and is then not found. */
const hasOddName = (error: unknown) =>
  error instanceof Error && "path" in error && typeof error.path === "string" && error.path.includes("\u{fffd}");

/** Why a file could not be read or decoded, in a few words. */
export function describeFault(error: unknown): string {
  if (error instanceof AlexnetError) return error.message;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return hasOddName(error) ? "its name is not UTF-8; rename it" : "no such file";
  if (code === "ELOOP") return "a link that leads to itself";
  if (code === "EACCES" || code === "EPERM") return "no permission to read it";
  if (code === "EISDIR") return "a folder, not a picture";
  return error instanceof Error ? error.message : String(error);
}
