import { type Preprocessing, pictureBytes, pictureSizeOf } from "../../../network/picture.js";
import { memoryAt } from "../../../system/native/memory.js";
import { bitsAt, type Frame, floatsAt, type Place } from "./memory.js";
import { openSimd } from "./simd.js";

/** What the input of a step depends on, in its frame: where the pictures are; then `View.length` numbers for each sample. */
export const Cropping = { pictures: 0, bytes: 1, samples: 2, views: 3 } as const;
export const View = { picture: 0, top: 1, left: 2, mirrored: 3, red: 4, green: 5, blue: 6, length: 7 } as const;

interface CropConstants extends Preprocessing {
  /** Rows and columns of a view. */
  readonly size: number;
  /** (batch, 3, size, size), row-major, of float32 or bfloat16. */
  readonly to: Place;
  readonly frame: Frame;
}

/** Bytes between the parts of the kernel's memory: it reads and writes over their ends by up to 16. */
const GAP = 64;
/** Values between the view's planes: rows run over by up to three. */
const PLANE_GAP = 4;
/**
 * One sample's view: (pixel + colour shift - mean) * scale, cropped, then mirrored. Zeros for samples that the batch
 * lacks.
 */
export function crop({ mean, scale, size, to, frame }: CropConstants): (sample: number) => void {
  const side = pictureSizeOf({ mean });
  const bytes = pictureBytes(side);
  const plane = size * size;
  const meanAt = GAP;
  const pictureAt = meanAt + 4 * bytes + GAP;
  const viewAt = Math.ceil((pictureAt + bytes) / GAP) * GAP + GAP;
  const roundedAt = viewAt + 3 * 4 * (plane + PLANE_GAP) + GAP;
  const { memory, crop, round } = openSimd(roundedAt + 2 * plane + GAP);
  const means = new Float32Array(memory.buffer, meanAt, bytes);
  for (let i = 0; i < bytes; i++) means[(i % 3) * side * side + Math.floor(i / 3)] = mean[i];
  const picture = new Uint8Array(memory.buffer, pictureAt, bytes);
  const planeAt = [0, 1, 2].map((colour) => viewAt + 4 * colour * (plane + PLANE_GAP));
  const planes = planeAt.map((at) => new Float32Array(memory.buffer, at, plane));
  const rounded = new Uint16Array(memory.buffer, roundedAt, plane);
  const out = to.type === "float32" ? floatsAt(to) : bitsAt(to);
  const pictures = new LatestView();
  return (sample) => {
    const start = sample * 3 * plane;
    if (sample >= frame[Cropping.samples]) {
      out.fill(0, start, start + 3 * plane);
      return;
    }
    const view = frame.subarray(Cropping.views + sample * View.length);
    const pixels = pictures.at(frame[Cropping.pictures], frame[Cropping.bytes]);
    picture.set(pixels.subarray(view[View.picture] * bytes, (view[View.picture] + 1) * bytes));
    const mirrored = view[View.mirrored];
    const column = mirrored === 1 ? view[View.left] + size - 1 : view[View.left];
    const at = view[View.top] * side + column;
    const shiftsThenScales = [view[View.red], view[View.green], view[View.blue], ...scale];
    const places = [meanAt, 4 * side * side, pictureAt, side, viewAt, 4 * (plane + PLANE_GAP)] as const;
    crop(...places, at, size, mirrored, ...shiftsThenScales);
    for (let colour = 0; colour < 3; colour++) {
      if (to.type === "bfloat16") round(planeAt[colour], roundedAt, plane);
      out.set(to.type === "bfloat16" ? rounded : planes[colour], start + colour * plane);
    }
  };
}

/** A batch's pictures as this thread sees them. */
class LatestView {
  #address = 0;
  #bytes = new Uint8Array();

  at(address: number, length: number): Uint8Array {
    if (address !== this.#address || length !== this.#bytes.length) {
      this.#address = address;
      this.#bytes = new Uint8Array(memoryAt(BigInt(address), length));
    }
    return this.#bytes;
  }
}
