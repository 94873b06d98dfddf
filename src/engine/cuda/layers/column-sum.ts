import type { Build, Tensor } from "../build.js";
import { BLOCK_THREADS, vectorOf } from "../kernels/kernels.js";

/** Rows that a slab has at least, and the most slabs. */
const LEAST_ROWS = 32;
const MOST_SLABS = 4096;

/**
 * The sums of the columns of `matrix`, (rows, columns), as the gradients of biases are.
 * @returns `tensors`: memory it needs besides; `prepare`, once memory is there: what puts it on the stream
 */
export function addColumnSums(build: Build, matrix: Tensor, columns: number, sums: Tensor) {
  const rows = matrix.length / columns;
  const slabs = Math.min(MOST_SLABS, Math.ceil(rows / LEAST_ROWS));
  const partial = build.tensor(slabs * columns, { format: "float32" });
  const definitions = { COLUMNS: columns, VECTOR: vectorOf(columns), THREADS: BLOCK_THREADS };
  return {
    tensors: [partial],
    prepare(): () => void {
      const { kernels } = build.gpu;
      const [from, between, to] = [matrix, partial, sums].map((tensor) => build.address(tensor));
      const work = (slabs * columns) / definitions.VECTOR;
      const first = kernels.each("column-sum", "slabs", definitions, work, [from, between, BigInt(rows), slabs]);
      const second = kernels
        .get("column-sum", "total", definitions)
        .prepare(columns, BLOCK_THREADS, [between, to, slabs]);
      return () => {
        first();
        second();
      };
    },
  };
}
