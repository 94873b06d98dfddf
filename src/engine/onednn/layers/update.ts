import type { UpdateOptions } from "../../engine.js";
import type { Build, Tensor } from "../build.js";
import { Argument, type MemoryArguments, type Primitive, packArguments } from "../native/bindings.js";
import type { Scope } from "../native/library.js";
import type { Parameters, PlacedParameter } from "../parameters.js";

/** Values a piece has at the most: three such arrays stay in a few megabytes of cache between the two passes. */
const PIECE = 1 << 18;

/** Flat memory with one learning rate and weight decay: parameters lie side by side (see Parameters). */
interface Piece {
  readonly count: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** v = a v + b w + c g */
  readonly momentumArguments: MemoryArguments;
  /** w = w + v */
  readonly valueArguments: MemoryArguments;
}

/**
 * The paper's update (section 5), v = momentum v - weightDecay lr w - lr g, w += v, as the library's weighted sums
 * over flat pieces in the parameters' own layouts, on all threads.
 */
export class Update {
  readonly #build: Build;
  readonly #pieces: readonly Piece[];
  readonly #sums = new Map<string, Primitive>();
  /** What the sums belong to: other scales need other primitives. */
  #scope: Scope | undefined;
  #key = "";

  /** After the build has finished. Without momentum and gradients, as in programs that predict, it does nothing. */
  constructor(build: Build, parameters: Parameters) {
    this.#build = build;
    this.#pieces = runs(parameters.placed).flatMap((run) => this.#cut(run));
  }

  /** Read and written at the least: v, w and g read, v and w written. */
  get bytes(): number {
    return this.#pieces.reduce((sum, { count }) => sum + 5 * 4 * count, 0);
  }

  run(options: UpdateOptions): void {
    const { bindings } = this.#build.library;
    const { learningRate, momentum, weightDecay } = options;
    const key = `${learningRate} ${momentum} ${weightDecay}`;
    if (key !== this.#key) this.close();
    this.#key = key;
    for (const piece of this.#pieces) {
      const rate = learningRate * piece.learningRate;
      const scales = [momentum, -weightDecay * piece.weightDecay * rate, -rate];
      bindings.execute(this.#sum(piece.count, scales), piece.momentumArguments);
      bindings.execute(this.#sum(piece.count, [1, 1]), piece.valueArguments);
    }
  }

  close(): void {
    this.#scope?.close();
    this.#scope = undefined;
    this.#sums.clear();
  }

  #sum(count: number, scales: readonly number[]): Primitive {
    this.#scope ??= this.#build.library.scope();
    const { bindings } = this.#scope;
    const key = `${count} ${scales}`;
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      const descriptor = bindings.descriptor([count], "row-major", "float32");
      sum = bindings.createPrimitive(bindings.sum(descriptor, scales, this.#build.attributes));
      this.#sums.set(key, sum);
    }
    return sum;
  }

  #cut({ first, last }: Run): Piece[] {
    const { value, momentum, gradient, learningRate, weightDecay } = first;
    if (momentum === undefined || gradient === undefined) return [];
    const pieces: Piece[] = [];
    const total = (last.value.offset + last.value.bytes - value.offset) / 4;
    for (let start = 0; start < total; start += PIECE) {
      const count = Math.min(PIECE, total - start);
      const descriptor = this.#build.descriptor([count], "row-major", "float32");
      const [w, v, g] = [value, momentum, gradient].map((tensor: Tensor) =>
        this.#build.memory({ ...tensor, descriptor, offset: tensor.offset + 4 * start, bytes: 4 * count }),
      );
      pieces.push({
        count,
        learningRate,
        weightDecay,
        momentumArguments: packArguments([
          [Argument.multipleSrc, v],
          [Argument.multipleSrc + 1, w],
          [Argument.multipleSrc + 2, g],
          [Argument.dst, v],
        ]),
        valueArguments: packArguments([
          [Argument.multipleSrc, w],
          [Argument.multipleSrc + 1, v],
          [Argument.dst, w],
        ]),
      });
    }
    return pieces;
  }
}

interface Run {
  first: PlacedParameter;
  last: PlacedParameter;
}

/** Neighbours with the same rates; parameters that don't learn are left out. */
function runs(placed: readonly PlacedParameter[]): readonly Run[] {
  const found: Run[] = [];
  let open: Run | undefined;
  for (const parameter of placed) {
    const { learningRate, weightDecay } = parameter;
    if (learningRate === 0) {
      open = undefined;
    } else if (open?.first.learningRate === learningRate && open.first.weightDecay === weightDecay) {
      open.last = parameter;
    } else {
      open = { first: parameter, last: parameter };
      found.push(open);
    }
  }
  return found;
}
