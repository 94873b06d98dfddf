import type { FastifyRequest } from "fastify";
import { sharp } from "../images/sharp.js";
import { HttpProblem } from "./problems.js";

/** Limits of what a request may bring. */
export const PICTURE_BYTES = 20 * 1024 * 1024;
export const PICTURE_PIXELS = 50_000_000;
export const PICTURES_A_REQUEST = 64;
/** Of all of a form's pictures together. */
export const REQUEST_BYTES = 64 * 1024 * 1024;

export interface Upload {
  /** As the sender calls it; "picture" where it has no name. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The pictures of a request: its body as it is, or the files of a form.
 * @throws HttpProblem 400 when there is none, 413 when one is too large, or there are too many
 */
export async function picturesOf(request: FastifyRequest): Promise<readonly Upload[]> {
  if (!request.isMultipart()) {
    const { body } = request;
    if (!Buffer.isBuffer(body) || body.length === 0)
      throw new HttpProblem(
        400,
        "The request has no picture: send an image file's bytes as its body, or a form with files.",
      );
    return [checked({ name: "picture", bytes: body })];
  }
  const found: Upload[] = [];
  let room = REQUEST_BYTES;
  for await (const file of request.files()) {
    const bytes = await file.toBuffer();
    room -= bytes.length;
    if (room < 0)
      throw new HttpProblem(413, `The form has more than ${REQUEST_BYTES / 1024 / 1024} MB; send fewer at once.`);
    found.push(checked({ name: file.filename || `picture ${found.length + 1}`, bytes }));
  }
  if (found.length === 0) throw new HttpProblem(400, "The form has no files: send each picture as one.");
  return found;
}

export async function pictureOf(request: FastifyRequest): Promise<Upload> {
  const [first, second] = await picturesOf(request);
  if (first === undefined || second !== undefined) throw new HttpProblem(400, "Send one picture at a time here.");
  return first;
}

function checked(upload: Upload): Upload {
  if (upload.bytes.length > PICTURE_BYTES)
    throw new HttpProblem(413, `${upload.name}: has more than ${PICTURE_BYTES / 1024 / 1024} MB`);
  return upload;
}

/**
 * Refuses what would take more memory decoded than any camera's picture, by what the file's header says, before
 * anything is decoded.
 * @throws HttpProblem 413
 */
export async function refuseBomb({ name, bytes }: Upload): Promise<void> {
  let size: { readonly width?: number; readonly height?: number; readonly pages?: number };
  try {
    size = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch {
    return; // what can't be read is refused where it is decoded, with the reason
  }
  const { width = 0, height = 0 } = size;
  if (width * height > PICTURE_PIXELS)
    throw new HttpProblem(413, `${name}: has ${width}x${height} pixels; ${PICTURE_PIXELS / 1e6} million are the most`);
}
