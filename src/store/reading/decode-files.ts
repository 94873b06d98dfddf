import { AlexnetError } from "../../errors.js";
import { loadPicture } from "../../images/picture.js";
import { PICTURE_BYTES } from "../../network/picture.js";

/** Why a file can't be read, or null where its picture is there. */
export type DecodeOutcome = string | null;

/** Decodes file number i of `files` to place i of `slot`, (files, 256, 256, 3). */
export function decodeFiles(files: readonly string[], slot: SharedArrayBuffer): Promise<DecodeOutcome[]> {
  return Promise.all(
    files.map(async (file, i) => {
      try {
        new Uint8Array(slot, i * PICTURE_BYTES, PICTURE_BYTES).set(await loadPicture(file));
        return null;
      } catch (error) {
        if (error instanceof AlexnetError && error.code === "unreadable-picture") return error.message;
        throw error;
      }
    }),
  );
}
