/**
 * JPEGs that decoders warn of though nothing of them is lost. libjpeg's warnings are of two kinds: pixels are missing
 * or wrong (premature ends, bad Huffman codes, lost restart markers), or a header says something that no decoder needs.
 * Phones write the second kind by the million:
 *
 * | libjpeg's warning                                | who writes it                            | what it means            |
 * | ------------------------------------------------ | ---------------------------------------- | ------------------------ |
 * | Invalid SOS parameters for sequential JPEG       | Samsung cameras (0 0 0 for 0 63 0)       | nothing: they are fixed  |
 * | n extraneous bytes before marker 0x..            | Pixel cameras, editors of metadata       | bytes between segments   |
 * | unknown JFIF revision number                     | old scanners                             | nothing                  |
 * | Unknown Adobe color transform code               | old editors                              | the usual one            |
 *
 * So that decoders can stay strict about the first kind, the second is put right in a copy.
 */

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP0 = 0xe0; // JFIF
const APP14 = 0xee; // Adobe
const JFIF = "JFIF\0";
const ADOBE = "Adobe";

/** A copy of a JPEG with harmless departures from the standard put right, or undefined where there are none. */
export function withoutHarmlessFaults(bytes: Uint8Array): Uint8Array | undefined {
  const segments = readSegments(Buffer.from(bytes)); // a copy: it is changed
  if (segments === undefined) return undefined;
  const { parts, frame } = segments;
  const changed = parts.map((part) => mend(part, frame)).some(Boolean);
  return changed || segments.skipped > 0 ? Buffer.concat(parts.map(({ bytes: all }) => all)) : undefined;
}

interface Segment {
  readonly marker: number;
  /** From its marker to the next one: a scan's entropy-coded data belongs to it. */
  readonly bytes: Buffer;
}

interface Frame {
  /** Baseline or extended: each scan holds all coefficients of its components. */
  readonly isSequential: boolean;
  readonly components: number;
}

interface Segments {
  readonly parts: readonly Segment[];
  readonly frame: Frame;
  /** Bytes before markers that belong to no segment. */
  readonly skipped: number;
}

/** Undefined where the segments can't be followed to the first scan. */
function readSegments(jpeg: Buffer): Segments | undefined {
  const parts: Segment[] = [];
  let frame: Frame | undefined;
  let skipped = 0;
  let end = 0; // of the segment before
  while (end < jpeg.length) {
    const start = findMarker(jpeg, end);
    if (start === undefined) break;
    skipped += start - end;
    const marker = jpeg.readUInt8(start + 1);
    if (marker === EOI) {
      parts.push({ marker, bytes: jpeg.subarray(start) });
      break;
    }
    end = marker === SOI ? start + 2 : start + 2 + (start + 4 <= jpeg.length ? jpeg.readUInt16BE(start + 2) : 0);
    if (marker !== SOI && (end < start + 4 || end > jpeg.length)) return undefined;
    if (isFrame(marker) && end >= start + 10)
      frame = { isSequential: [0xc0, 0xc1, 0xc9].includes(marker), components: jpeg.readUInt8(start + 9) };
    if (marker === SOS) end = endOfScan(jpeg, end);
    parts.push({ marker, bytes: jpeg.subarray(start, end) });
  }
  return frame === undefined ? undefined : { parts, frame, skipped };
}

/** Start-of-frame markers; those in between define tables and extensions. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Where the next marker begins: an 0xff, not one of the fill bytes before it, with something but 0 behind it. */
function findMarker(jpeg: Buffer, from: number): number | undefined {
  for (let at = jpeg.indexOf(0xff, from); at >= 0 && at + 1 < jpeg.length; at = jpeg.indexOf(0xff, at + 1))
    if (jpeg[at + 1] !== 0 && jpeg[at + 1] !== 0xff) return at;
  return undefined;
}

/** Entropy-coded data goes on over stuffed zeros and restart markers. */
function endOfScan(jpeg: Buffer, from: number): number {
  for (let at = findMarker(jpeg, from); at !== undefined; at = findMarker(jpeg, at + 2)) {
    const marker = jpeg.readUInt8(at + 1);
    if (marker < 0xd0 || marker > 0xd7) return at;
  }
  return jpeg.length;
}

/** Puts a segment right, in place. @returns whether there was anything to */
function mend({ marker, bytes }: Segment, { isSequential, components }: Frame): boolean {
  const body = bytes.subarray(4);
  if (marker === SOS && isSequential) {
    const at = 1 + 2 * (body[0] ?? 0);
    return replace(body, at, [0, 63, 0]);
  }
  if (marker === APP0 && startsWith(body, JFIF) && ![1, 2].includes(body[5] ?? 1)) return replace(body, 5, [1, 1]);
  if (marker === APP14 && startsWith(body, ADOBE) && body.length >= 12) {
    const usual = components === 4 ? 2 : 1;
    return ![0, usual].includes(body[11] ?? 0) && replace(body, 11, [usual]);
  }
  return false;
}

function startsWith(body: Buffer, text: string): boolean {
  return body.toString("latin1", 0, text.length) === text;
}

/** @returns whether the bytes were others before */
function replace(body: Buffer, at: number, values: readonly number[]): boolean {
  if (at + values.length > body.length || values.every((value, i) => body[at + i] === value)) return false;
  body.set(values, at);
  return true;
}
