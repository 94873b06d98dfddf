import { addressOf } from "../../system/native/memory.js";
import { Argument, type Descriptor, packArguments, Query } from "./native/bindings.js";
import type { Library, Scope } from "./native/library.js";

/** From so many rows on one product of matrices beats a product with each row, which runs at the memory's speed. */
const ROWS_AT_ONCE = 12;

/** Products of matrices that lie outside of any program. What is made for a size is kept for the next of that size. */
export class Products {
  readonly #library: Library;
  readonly #prepared = new Map<string, Product>();

  constructor(library: Library) {
    this.#library = library;
  }

  /** a times b transposed: (rows, length) and (columns, length) to (rows, columns). */
  multiply(a: Float32Array, b: Float32Array, length: number): Float32Array {
    const [rows, columns] = [a.length / length, b.length / length];
    const product = new Float32Array(rows * columns);
    if (product.length === 0) return product;
    if (rows >= ROWS_AT_ONCE) {
      this.#product(rows, columns, length).run(a, b, product);
      return product;
    }
    const vectorProduct = this.#product(columns, 1, length);
    for (let row = 0; row < rows; row++)
      vectorProduct.run(
        b,
        a.subarray(row * length, (row + 1) * length),
        product.subarray(row * columns, (row + 1) * columns),
      );
    return product;
  }

  close(): void {
    for (const product of this.#prepared.values()) product.close();
    this.#prepared.clear();
  }

  #product(rows: number, columns: number, length: number): Product {
    const key = `${rows}x${columns}x${length}`;
    const product = this.#prepared.get(key) ?? prepare(this.#library, rows, columns, length);
    this.#prepared.set(key, product);
    return product;
  }
}

interface Product {
  /** (rows, length), (columns, length), (rows, columns): the last is overwritten. */
  run(a: Float32Array, b: Float32Array, into: Float32Array): void;
  close(): void;
}

function prepare(library: Library, rows: number, columns: number, length: number): Product {
  const own = library.scope();
  try {
    return prepareIn(own, rows, columns, length);
  } catch (error) {
    own.close();
    throw error;
  }
}

function prepareIn(own: Scope, rows: number, columns: number, length: number): Product {
  const { bindings } = own;
  const left = bindings.descriptor([rows, length], "row-major", "float32");
  const right = bindings.descriptor([length, columns], "column-major", "float32");
  const result = bindings.descriptor([rows, columns], "row-major", "float32");
  const operation = bindings.matmul(left, right, result, bindings.attributes({ relu: false }));
  const primitive = bindings.createPrimitive(operation);
  const scratchpad = bindings.query(operation, Query.scratchpad);
  const scratch = new Uint8Array(scratchpad ? bindings.bytes(scratchpad) : 0);
  return {
    run(a, b, into) {
      const operands: [number, Descriptor, ArrayBufferView][] = [
        [Argument.src, left, a],
        [Argument.weights, right, b],
        [Argument.dst, result, into],
      ];
      if (scratchpad && scratch.length > 0) operands.push([Argument.scratchpad, scratchpad, scratch]);
      const call = own.scope();
      try {
        const memories = operands.map(
          ([argument, descriptor, values]) =>
            [argument, call.bindings.createMemory(descriptor, addressOf(values))] as const,
        );
        call.bindings.execute(primitive, packArguments(memories));
        call.bindings.wait();
      } finally {
        call.close();
      }
    },
    close: () => own.close(),
  };
}
