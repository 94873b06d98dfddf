import { AlexnetError } from "../../errors.js";
import { describeFault, loadPicture } from "../../images/picture.js";
import { pictureBytes } from "../../network/picture.js";

/** A path, an image file's bytes, or why there are none. */
export type DecodeInput = string | Uint8Array | { readonly fault: string };

/** Why a file can't be read, or null where its picture is there. Paths are named, bytes are not. */
export type DecodeOutcome = string | null;

/** Decodes file number i of `files` to place i of `slot`, (files, size, size, 3). */
export function decodeFiles(
  files: readonly DecodeInput[],
  size: number,
  slot: SharedArrayBuffer,
): Promise<DecodeOutcome[]> {
  const bytes = pictureBytes(size);
  return Promise.all(
    files.map(async (file, i) => {
      if (typeof file === "object" && "fault" in file) return file.fault;
      try {
        new Uint8Array(slot, i * bytes, bytes).set(await loadPicture(file, { size }));
        return null;
      } catch (error) {
        if (typeof file !== "string") return describeFault(error);
        if (error instanceof AlexnetError && error.code === "unreadable-picture") return error.message;
        throw error;
      }
    }),
  );
}
