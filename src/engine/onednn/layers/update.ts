import { addressOf } from "../../../system/native/memory.js";
import type { UpdateOptions } from "../../engine.js";
import type { Build, Tensor } from "../build.js";
import {
  Argument,
  type Descriptor,
  denseBytes,
  type MemoryArguments,
  type Primitive,
  packArguments,
  Query,
} from "../native/bindings.js";
import type { Scope } from "../native/library.js";
import type { Parameters, PlacedParameter } from "../parameters.js";

/** Values a piece has at the most: three such arrays stay in a few megabytes of cache between the passes. */
const PIECE = 1 << 18;

/** Part of a parameter's memory that is updated before the next: what one pass writes the next reads from cache. */
interface Piece {
  readonly count: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** v = a v + b w + c g */
  readonly momentumArguments: MemoryArguments;
  /** w = w + v */
  readonly valueArguments: MemoryArguments;
  /** Brings w to the copy that products read, where there is one. */
  readonly copy?: Copy;
}

interface Copy {
  readonly primitive: Primitive;
  readonly arguments: MemoryArguments;
}

/**
 * The paper's update (section 5), v = momentum v - weightDecay lr w - lr g, w += v, as the library's weighted sums
 * over flat pieces in the parameters' own layouts, on all threads.
 */
export class Update {
  readonly #build: Build;
  readonly #pieces: readonly Piece[];
  readonly #sums = new Map<string, Primitive>();
  /** Memory that copies need; it must stay as long as they do. */
  readonly #scratch: Uint8Array[] = [];
  /** What the sums belong to: other scales need other primitives. */
  #scope: Scope | undefined;
  #key = "";

  /** After the build has finished. Without momentum and gradients, as in programs that predict, it does nothing. */
  constructor(build: Build, parameters: Parameters) {
    this.#build = build;
    this.#pieces = parameters.placed.flatMap((placed) => this.#cut(placed));
  }

  /** Read and written at the least: v, w and g read, v and w written, and w's copy. */
  get bytes(): number {
    return this.#pieces.reduce((sum, { count, copy }) => sum + (5 * 4 + (copy === undefined ? 0 : 2)) * count, 0);
  }

  run(options: UpdateOptions): void {
    const { bindings } = this.#build.library;
    const { learningRate, momentum, weightDecay } = options;
    const key = `${learningRate} ${momentum} ${weightDecay}`;
    if (key !== this.#key) this.close();
    this.#key = key;
    for (const { copy, ...piece } of this.#pieces) {
      const rate = learningRate * piece.learningRate;
      const scales = [momentum, -weightDecay * piece.weightDecay * rate, -rate];
      bindings.execute(this.#sum(piece.count, scales), piece.momentumArguments);
      bindings.execute(this.#sum(piece.count, [1, 1]), piece.valueArguments);
      if (copy !== undefined) bindings.execute(copy.primitive, copy.arguments);
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

  #cut(placed: PlacedParameter): readonly Piece[] {
    const { value, operand, learningRate } = placed;
    if (placed.momentum === undefined || learningRate === 0) return [];
    if (operand !== value) return this.#cutWithCopy(placed);
    return starts(value.bytes / 4, PIECE).map(({ start, count }) => this.#piece(placed, start, count));
  }

  /** Pieces of whole rows where these lie together in both layouts; else one. */
  #cutWithCopy(placed: PlacedParameter): readonly Piece[] {
    const { dims, value, operand } = placed;
    const [rows] = dims;
    const together = this.#rowsTogether(placed);
    const part = [together, ...dims.slice(1)];
    const [values, copies] = [value, operand].map(({ descriptor }) => this.#firstRows(descriptor, dims, part));
    const primitive = this.#copying(values, copies);
    return starts(rows, together).map(({ start }) => {
      const [from, to] = [
        at(value, values, denseBytes([start, ...dims.slice(1)], value.type)),
        at(operand, copies, denseBytes([start, ...dims.slice(1)], operand.type)),
      ];
      const whole = together === rows;
      const [first, count] = whole
        ? [0, value.bytes / 4]
        : [denseBytes([start, ...dims.slice(1)], "float32") / 4, denseBytes(part, "float32") / 4];
      const copyArguments = [
        [Argument.src, this.#build.memory(from)],
        [Argument.dst, this.#build.memory(to)],
        ...primitive.scratch,
      ] as const;
      return {
        ...this.#piece(placed, first, count),
        copy: { primitive: primitive.primitive, arguments: packArguments(copyArguments) },
      };
    });
  }

  /** How many rows (outputs) are updated together: as few as lie together in both layouts, of what is large. */
  #rowsTogether({ dims, value, operand }: PlacedParameter): number {
    const [rows] = dims;
    if (value.bytes / 4 <= 4 * PIECE) return rows;
    const { bindings } = this.#build.library;
    const lieTogether = (count: number): boolean =>
      rows % count === 0 &&
      [value, operand].every(({ descriptor, type }) => {
        const part = [count, ...dims.slice(1)];
        return bindings.bytes(this.#firstRows(descriptor, dims, part)) === denseBytes(part, type);
      });
    return [16, 32, 48, 64, 128].find(lieTogether) ?? rows;
  }

  #firstRows(descriptor: Descriptor, dims: readonly number[], part: readonly number[]): Descriptor {
    if (part[0] === dims[0]) return descriptor;
    return this.#build.library.bindings.part(
      descriptor,
      part,
      dims.map(() => 0),
    );
  }

  /** What copies from one layout to the other, with the memory that it needs besides. */
  #copying(from: Descriptor, to: Descriptor) {
    const { bindings } = this.#build.library;
    const operation = bindings.reorder(from, to, this.#build.attributes);
    const scratchpad = bindings.query(operation, Query.scratchpad);
    const memory = new Uint8Array(scratchpad === undefined ? 0 : bindings.bytes(scratchpad));
    this.#scratch.push(memory);
    const scratch =
      scratchpad === undefined || memory.length === 0
        ? []
        : [[Argument.scratchpad, bindings.createMemory(scratchpad, addressOf(memory))] as const];
    return { primitive: bindings.createPrimitive(operation), scratch };
  }

  /** @param start in values, of the parameter's memory */
  #piece({ value, momentum, gradient, ...rates }: PlacedParameter, start: number, count: number): Piece {
    if (momentum === undefined || gradient === undefined) throw new Error("a program that predicts updates nothing");
    const descriptor = this.#build.descriptor([count], "row-major", "float32");
    const [w, v, g] = [value, momentum, gradient].map((tensor) =>
      this.#build.memory(at(tensor, descriptor, 4 * start)),
    );
    return {
      count,
      learningRate: rates.learningRate,
      weightDecay: rates.weightDecay,
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
    };
  }
}

/** The part of a tensor's memory that begins so many bytes after its start. */
function at(tensor: Tensor, descriptor: Descriptor, bytes: number): Tensor {
  return { ...tensor, descriptor, offset: tensor.offset + bytes };
}

/** `total` cut into parts of `most`. */
function starts(total: number, most: number): readonly { readonly start: number; readonly count: number }[] {
  return Array.from({ length: Math.ceil(total / most) }, (_, i) => ({
    start: i * most,
    count: Math.min(most, total - i * most),
  }));
}
