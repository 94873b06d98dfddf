import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import type { Engine } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { NAMES, ROWS, SQUARES } from "../formats/matrix-file.js";
import { type OpenTensorFile, openSafetensors } from "../formats/safetensors.js";
import { FEATURES_FORMAT } from "./features.js";
import { Nearest } from "./nearest.js";

export interface Neighbour {
  readonly file: string;
  /** Euclidean. */
  readonly distance: number;
}

const BLOCK_BYTES = 1 << 25; // read at once; two such blocks are held
const QUERIES_AT_ONCE = 64;
const names = z.array(z.string());

/** Feature vectors in a file, to be searched. They stay in the file: only blocks of them are in memory. */
export class FeatureIndex {
  readonly files: readonly string[];
  readonly layer: string;
  /** The hash of the network they are of. */
  readonly model: string;
  /** What they were made of, as `writeFeatures` was told. */
  readonly source: string | undefined;
  /** Values of a vector. */
  readonly length: number;
  readonly #squares: Float32Array;
  readonly #start: number; // of the vectors, in bytes

  /** @throws AlexnetError "format" when the file holds no features or is damaged. */
  constructor(readonly path: string) {
    const file = openSafetensors(path);
    try {
      const { metadata, shapes } = file;
      if (metadata.format !== FEATURES_FORMAT)
        throw new AlexnetError("not-found", `${path}: holds no features; make them with alexnet features`);
      const [count, ...shape] = shapes.get(ROWS) ?? [];
      this.files = this.#readNames(metadata[NAMES]);
      if (this.files.length !== count)
        throw new AlexnetError("damaged-file", `${path}: ${this.files.length} names for ${count} vectors`);
      this.layer = metadata.layer ?? "";
      this.model = metadata.model ?? "";
      this.source = metadata.source;
      this.length = shape.reduce((a, b) => a * b, 1);
      this.#squares = this.#readSquares(file, count);
      this.#start = file.position(ROWS);
    } finally {
      file.close();
    }
  }

  /**
   * The `count` nearest vectors of each query, the nearest first. Exact: products in float32 only tell which vectors
   * come into question; their distances are then computed in float64.
   * @param queries (queries, length)
   * @param isLeftOut whether vector number `row` is not for query number `query`
   */
  async search(
    engine: Engine,
    queries: Float32Array,
    count: number,
    isLeftOut: (row: number, query: number) => boolean = () => false,
  ): Promise<readonly (readonly Neighbour[])[]> {
    if (queries.length % this.length !== 0)
      throw new AlexnetError(
        "invalid-option",
        `${this.path}: its vectors have ${this.length} values; the queries have not`,
      );
    const all: (readonly Neighbour[])[] = [];
    const step = QUERIES_AT_ONCE * this.length;
    for (let start = 0; start < queries.length; start += step) {
      const part = queries.subarray(start, start + step);
      const first = start / this.length;
      all.push(...(await this.#searchPart(engine, part, count, (row, query) => isLeftOut(row, first + query))));
    }
    return all;
  }

  async #searchPart(
    engine: Engine,
    queries: Float32Array,
    count: number,
    isLeftOut: (row: number, query: number) => boolean,
  ): Promise<readonly (readonly Neighbour[])[]> {
    const { length } = this;
    const vectors = Array.from({ length: queries.length / length }, (_, i) =>
      queries.subarray(i * length, (i + 1) * length),
    );
    const squares = vectors.map((vector) => vector.reduce((sum, value) => sum + value * value, 0));
    const nearest = vectors.map(() => new Nearest(count));
    const rounding = (length + 2) * 2 ** -23; // of products and sums of squares in float32, relative, at the very most
    const file = await open(this.path);
    try {
      for await (const { first, rows } of this.#blocks(file)) {
        const products = await engine.multiply(queries, rows, length);
        const blockRows = rows.length / length;
        nearest.forEach((best, query) => {
          for (let i = 0; i < blockRows; i++) {
            const sum = (this.#squares[first + i] ?? 0) + (squares[query] ?? 0);
            const square = sum - 2 * (products[query * blockRows + i] ?? 0);
            if (square - rounding * sum > best.bound || isLeftOut(first + i, query)) continue;
            best.offer(first + i, square - rounding * sum, square + rounding * sum);
          }
        });
      }
      return await Promise.all(
        vectors.map((vector, query) => this.#settle(file, nearest[query]?.candidates() ?? [], vector, count)),
      );
    } finally {
      await file.close();
    }
  }

  /** All vectors in order, the next block being read while one is used. */
  async *#blocks(file: FileHandle): AsyncGenerator<{ readonly first: number; readonly rows: Float32Array }> {
    const perBlock = Math.max(1, Math.floor(BLOCK_BYTES / (4 * this.length)));
    const newSlot = (): SharedArrayBuffer => new SharedArrayBuffer(4 * perBlock * this.length);
    const [even, odd] = [newSlot(), newSlot()];
    const read = async (block: number) => {
      const first = block * perBlock;
      const count = Math.min(perBlock, this.files.length - first);
      if (count <= 0) return undefined;
      const rows = new Float32Array(block % 2 === 0 ? even : odd, 0, count * this.length);
      await this.#read(file, first, rows);
      return { first, rows };
    };
    let next = read(0);
    for (let block = 0; ; block++) {
      const current = await next;
      if (current === undefined) return;
      next = read(block + 1);
      next.catch(() => {}); // counts when it is waited for
      yield current;
    }
  }

  /** The exact distances of those that come into question. */
  async #settle(
    file: FileHandle,
    candidates: readonly number[],
    query: Float32Array,
    count: number,
  ): Promise<readonly Neighbour[]> {
    const vector = new Float32Array(this.length);
    const exact: { row: number; distance: number }[] = [];
    for (const row of candidates) {
      await this.#read(file, row, vector);
      let square = 0;
      for (const [i, value] of vector.entries()) square += (value - (query[i] ?? 0)) ** 2;
      exact.push({ row, distance: Math.sqrt(square) });
    }
    exact.sort((a, b) => a.distance - b.distance || a.row - b.row);
    return exact.slice(0, count).map(({ row, distance }) => ({ file: this.files[row] ?? "", distance }));
  }

  /** Vectors from number `first` on, as many as fit. */
  async #read(file: FileHandle, first: number, into: Float32Array): Promise<void> {
    const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
    const start = this.#start + 4 * first * this.length;
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw new AlexnetError("damaged-file", `${this.path}: ended before its vectors did`);
      done += bytesRead;
    }
  }

  #readNames(text: string | undefined): readonly string[] {
    try {
      return names.parse(JSON.parse(text ?? ""));
    } catch (cause) {
      throw new AlexnetError("damaged-file", `${this.path}: its names of files can't be read`, { cause });
    }
  }

  #readSquares(file: OpenTensorFile, count: number): Float32Array {
    const squares = new Float32Array(count);
    file.readInto(SQUARES, squares);
    return squares;
  }
}
