import { AlexnetError } from "../../errors.js";
import { loadPicture } from "../../images/picture.js";
import { pictureBytes } from "../../network/picture.js";

/** Why a file can't be read, or null where its picture is there. */
export type DecodeOutcome = string | null;

/** Decodes file number i of `files` to place i of `slot`, (files, size, size, 3). */
export function decodeFiles(files: readonly string[], size: number, slot: SharedArrayBuffer): Promise<DecodeOutcome[]> {
  const bytes = pictureBytes(size);
  return Promise.all(
    files.map(async (file, i) => {
      try {
        new Uint8Array(slot, i * bytes, bytes).set(await loadPicture(file, { size }));
        return null;
      } catch (error) {
        if (error instanceof AlexnetError && error.code === "unreadable-picture") return error.message;
        throw error;
      }
    }),
  );
}
