import { PIXEL_LIMIT } from "../geometry.js";

/** Pixels as they come out of a Netpbm file: (height, width, channels), 0 to 255. */
export interface RawPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/**
 * Reads the first picture of a Netpbm file: PBM (P1, P4), PGM (P2, P5) or PPM (P3, P6), with samples of 8 or 16 bits
 * (netpbm.sourceforge.net/doc/ppm.html). No library at hand reads them: sharp's builds leave them out.
 * @throws Error saying what is wrong
 */
export function readNetpbm(bytes: Uint8Array): RawPixels {
  const kind = Number(String.fromCharCode(bytes[1] ?? 0));
  const reader = new NumberReader(bytes, 2);
  const [width, height] = [reader.next(), reader.next()];
  const isBitmap = kind === 1 || kind === 4;
  const largest = isBitmap ? 1 : reader.next();
  if (width < 1 || height < 1 || largest < 1 || largest > 65535)
    throw new Error(`${width}x${height} pixels of up to ${largest} can't be`);
  if (width * height > PIXEL_LIMIT) throw new Error("Input image exceeds pixel limit");
  const channels = kind === 3 || kind === 6 ? 3 : 1;
  const isText = kind <= 3;
  const rest = bytes.subarray(isText ? reader.at : reader.at + 1); // one blank ends the header of binary forms
  const count = width * height * channels;
  if (rest.length < (kind === 4 ? Math.ceil(width / 8) * height : isText ? count : count * bytesOf(largest)))
    throw new Error("premature end of file");
  const data = new Uint8Array(count);
  if (kind === 4) readBits(rest, width, data);
  else {
    const samples = isText ? textSamples(reader, kind === 1) : binarySamples(rest, bytesOf(largest));
    for (let i = 0; i < count; i++) {
      const share = Math.min(1, samples(i) / largest);
      data[i] = Math.round(255 * (isBitmap ? 1 - share : share)); // a bit of 1 is black
    }
  }
  return { data, width, height, channels };
}

const bytesOf = (largest: number): 1 | 2 => (largest < 256 ? 1 : 2);

function binarySamples(bytes: Uint8Array, size: 1 | 2): (index: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return size === 1 ? (index) => view.getUint8(index) : (index) => view.getUint16(2 * index);
}

/** In turn, whatever the index. Digits of a text bitmap need no blanks between them. */
function textSamples(reader: NumberReader, isBitmap: boolean): () => number {
  return () => (isBitmap ? reader.nextDigit() : reader.next());
}

/** Rows of bits, the highest first, each row in whole bytes. */
function readBits(rows: Uint8Array, width: number, data: Uint8Array): void {
  const rowBytes = Math.ceil(width / 8);
  for (let i = 0; i < data.length; i++) {
    const [row, column] = [Math.floor(i / width), i % width];
    const byte = rows[row * rowBytes + (column >> 3)] ?? 0;
    data[i] = (byte >> (7 - (column & 7))) & 1 ? 0 : 255;
  }
}

const HASH = 35; // begins a comment up to the line's end
const NEWLINE = 10;
const isBlank = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);
const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** Numbers in ASCII with blanks and comments between them. */
class NumberReader {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}

  next(): number {
    this.#skipBlanks();
    const start = this.at;
    let value = 0;
    for (; isDigit(this.#code) && this.at - start < 10; this.at++) value = 10 * value + this.#code - 48;
    return this.#checked(value, start);
  }

  nextDigit(): number {
    this.#skipBlanks();
    const start = this.at;
    const value = this.#code - 48;
    if (isDigit(this.#code)) this.at++;
    return this.#checked(value, start);
  }

  get #code(): number {
    return this.bytes[this.at] ?? 0;
  }

  #checked(value: number, start: number): number {
    if (this.at > start) return value;
    throw new Error(this.at >= this.bytes.length ? "premature end of file" : `no number at byte ${this.at}`);
  }

  #skipBlanks(): void {
    let isComment = false;
    for (; this.at < this.bytes.length; this.at++) {
      const code = this.#code;
      if (isComment) isComment = code !== NEWLINE;
      else if (code === HASH) isComment = true;
      else if (!isBlank(code)) return;
    }
  }
}
