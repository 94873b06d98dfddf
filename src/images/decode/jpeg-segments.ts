/** EXIF orientation, 1 to 8: how the stored rows and columns lie in the upright picture. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface JpegSegment {
  /** The second byte of what it begins with; the first is 0xff. */
  readonly marker: number;
  readonly body: Uint8Array;
  /** Where it lies in the file, marker included. */
  readonly start: number;
  readonly end: number;
}

const START_OF_SCAN = 0xda;
const APP1 = 0xe1;
const FRAMES = [0xc0, 0xc1, 0xc2]; // baseline, extended, progressive
const EXIF = "Exif\0\0";
const ORIENTATION_TAG = 0x0112;

/** The segments before the first scan; those behind a damaged one are left out. */
export function* jpegSegments(bytes: Uint8Array): Generator<JpegSegment, void, undefined> {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = 2; start + 4 <= bytes.length && bytes[start] === 0xff; ) {
    const marker = data.getUint8(start + 1);
    if (marker === 0xff) {
      start++; // fill byte
      continue;
    }
    if (marker === START_OF_SCAN) return;
    const length = data.getUint16(start + 2);
    const end = start + 2 + length;
    if (length < 2 || end > bytes.length) return;
    yield { marker, body: bytes.subarray(start + 4, end), start, end };
    start = end;
  }
}

export function isExif({ marker, body }: JpegSegment): boolean {
  return marker === APP1 && startsWith(body, EXIF);
}

/** As the first EXIF segment has it; 1, upright, where none says anything. */
export function orientationOf(segments: Iterable<JpegSegment>): Orientation {
  for (const segment of segments) {
    const found = isExif(segment) ? readOrientation(segment.body.subarray(EXIF.length)) : undefined;
    if (found !== undefined) return found;
  }
  return 1;
}

/** Whether colour differences are kept at half the height and width of the luminance (4:2:0). */
export function hasHalvedColours(segments: Iterable<JpegSegment>): boolean {
  for (const { marker, body } of segments) {
    if (!FRAMES.includes(marker)) continue;
    // Precision, height, width, then by component: name, factors across and down, table.
    const factors = Array.from({ length: body[5] ?? 0 }, (_, i) => body[7 + 3 * i]);
    return factors.join() === "34,17,17"; // 0x22, 0x11, 0x11
  }
  return false;
}

export function startsWith(body: Uint8Array, text: string): boolean {
  return body.length >= text.length && Array.from(text).every((letter, i) => body[i] === letter.charCodeAt(0));
}

/** From a TIFF structure (EXIF 2.3, section 4.6). */
function readOrientation(tiff: Uint8Array): Orientation | undefined {
  if (tiff.length < 8) return undefined;
  const data = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = startsWith(tiff, "II");
  const short = (at: number) => (at + 2 > tiff.length ? 0 : data.getUint16(at, little));
  const directory = data.getUint32(4, little);
  const entries = short(directory);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > tiff.length) return undefined;
    if (short(entry) === ORIENTATION_TAG) return asOrientation(short(entry + 8));
  }
  return undefined;
}

function asOrientation(value: number): Orientation | undefined {
  return ([1, 2, 3, 4, 5, 6, 7, 8] as const).find((known) => known === value);
}
