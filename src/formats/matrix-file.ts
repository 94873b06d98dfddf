import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { AlexnetError } from "../errors.js";
import { explainDisk, syncFolder, UNFINISHED, writeParts, writeWhole } from "../system/files.js";
import { bytesOf } from "../system/numbers.js";
import { encodeNpyHead } from "./npy.js";
import { encodeSafetensorsHead } from "./safetensors.js";

export const matrixFormats = ["safetensors", "npy"] as const;
export type MatrixFormat = (typeof matrixFormats)[number];

/** In safetensors files: the tensor of the rows, that of each row's sum of squares, and the rows' names as JSON. */
export const ROWS = "features";
export const SQUARES = "squared_norms";
export const NAMES = "files";

export interface MatrixOptions {
  readonly path: string;
  readonly format: MatrixFormat;
  /** Of one row. */
  readonly shape: readonly number[];
  /** Of all rows that may come, in order; some may not. */
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * A file of named float32 rows that is written as they come, whole or not at all: (rows, …shape). In safetensors names
 * and metadata are part of the file; beside `x.npy`, which has no place for them, lies `x.json`.
 */
export class MatrixFile {
  readonly #options: MatrixOptions;
  readonly #part: string;
  readonly #file: number;
  readonly #reserved: number; // bytes for the head, which is known last
  readonly #names: string[] = [];
  readonly #squares: Float32Array; // by row
  #open = true;

  constructor(options: MatrixOptions) {
    this.#options = options;
    this.#squares = new Float32Array(options.names.length);
    this.#part = options.path + UNFINISHED;
    this.#file = openSync(this.#part, "w");
    const room = this.#head(options.names, 0);
    this.#reserved = room.length;
    this.#write([room]);
  }

  append(names: readonly string[], rows: Float32Array): void {
    const length = rows.length / names.length;
    names.forEach((name, row) => {
      let sum = 0;
      for (const value of rows.subarray(row * length, (row + 1) * length)) sum += value * value;
      this.#squares[this.#names.length] = sum;
      this.#names.push(name);
    });
    this.#write([bytesOf(rows)]);
  }

  get rows(): number {
    return this.#names.length;
  }

  /** Gives the file its head and its name. @throws AlexnetError "disk" when it is full. */
  finish(): void {
    const { format, path, metadata } = this.#options;
    if (format === "safetensors") this.#write([bytesOf(this.#squares.subarray(0, this.rows))]);
    const head = this.#head(this.#names, this.#reserved);
    if (head.length !== this.#reserved) throw new Error(`the head takes ${head.length} bytes of ${this.#reserved}`);
    writeSync(this.#file, head, 0, head.length, 0);
    fsyncSync(this.#file);
    this.#close();
    if (format === "npy")
      writeWhole(namesBeside(path), `${JSON.stringify({ ...metadata, [NAMES]: this.#names }, undefined, 2)}\n`);
    renameSync(this.#part, path);
    syncFolder(dirname(path));
  }

  /** Leaves nothing behind, unless it is finished. */
  abandon(): void {
    if (!this.#open) return;
    this.#close();
    rmSync(this.#part, { force: true });
  }

  #head(names: readonly string[], length: number): Uint8Array {
    const { format, metadata } = this.#options;
    const shape = [names.length, ...this.#options.shape];
    if (format === "npy") return encodeNpyHead(shape, length);
    const tensors = { [ROWS]: { dtype: "F32", shape }, [SQUARES]: { dtype: "F32", shape: [names.length] } } as const;
    const texts = { ...metadata, [NAMES]: JSON.stringify(names) };
    return encodeSafetensorsHead(new Map(Object.entries(tensors)), texts, length);
  }

  #write(parts: readonly Uint8Array[]): void {
    try {
      writeParts(this.#file, parts);
    } catch (error) {
      throw explainDisk(error, this.#options.path);
    }
  }

  #close(): void {
    this.#open = false;
    closeSync(this.#file);
  }
}

/** Where the metadata of a .npy file is. */
export function namesBeside(path: string): string {
  if (!path.endsWith(".npy")) throw new AlexnetError("invalid-option", `${path}: its name must end in .npy`);
  return path.replace(/\.npy$/, ".json");
}
