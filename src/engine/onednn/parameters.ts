import type { Parameter } from "../../network/parameters.js";
import { addressOf } from "../../system/native/memory.js";
import type { Multipliers, State } from "../engine.js";
import { Argument, type Descriptor, packArguments } from "./bindings.js";
import type { Build, Tensor } from "./build.js";

/** One parameter in the layout its forward operation chose. */
export interface PlacedParameter {
  readonly parameter: Parameter;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly dims: readonly number[];
  readonly value: Tensor;
  readonly momentum: Tensor | undefined;
  readonly gradient: Tensor | undefined;
}

/**
 * All parameters of a program. Values, momentum and gradients lie in three blocks with the same places in each, so
 * that the update may run over them as flat memory.
 */
export class Parameters {
  readonly placed: PlacedParameter[] = [];
  readonly #build: Build;
  readonly #table: ReadonlyMap<string, Parameter>;
  readonly #multipliers: Multipliers;
  readonly #values: ReturnType<Build["block"]>;
  readonly #momentum: ReturnType<Build["block"]> | undefined;
  readonly #gradients: ReturnType<Build["block"]> | undefined;

  constructor(build: Build, table: readonly Parameter[], training: boolean, multipliers: Multipliers = {}) {
    this.#build = build;
    this.#table = new Map(table.map((parameter) => [parameter.name, parameter]));
    this.#multipliers = multipliers;
    this.#values = build.block(true);
    this.#momentum = training ? build.block(true) : undefined;
    this.#gradients = training ? build.block(true) : undefined;
  }

  /** Whether a step changes anything of `layer`: its parameters' learning rates are not all 0. */
  learns(layer: string): boolean {
    if (this.#gradients === undefined) return false;
    const own = [...this.#table.values()].filter((parameter) => parameter.layer === layer);
    return own.some(({ name }) => this.#multipliers[name]?.learningRate !== 0);
  }

  /** Places a parameter in `descriptor`'s layout. */
  place(
    name: string,
    dims: readonly number[],
    descriptor: Descriptor,
    learningRate = this.#multipliers[name]?.learningRate ?? 1,
  ): PlacedParameter {
    const parameter = this.#table.get(name);
    if (parameter === undefined) throw new Error(`${name} is not in the parameter table`);
    const placed = {
      parameter,
      learningRate,
      weightDecay: this.#multipliers[name]?.weightDecay ?? 1,
      dims,
      value: this.#build.append(this.#values, descriptor),
      momentum: this.#momentum && this.#build.append(this.#momentum, descriptor),
      gradient: this.#gradients && this.#build.append(this.#gradients, descriptor),
    };
    this.placed.push(placed);
    return placed;
  }

  /** Places the parameters of a layer that doesn't run: they are only read and written. */
  keep(layer: string): void {
    for (const { name, layer: owner, count } of this.#table.values())
      if (owner === layer) this.place(name, [count], this.#build.descriptor([count], "row-major"), 0);
  }

  /** Where backward operations put the gradient. */
  gradient(placed: PlacedParameter): Tensor {
    return tensorOf(placed, "gradients");
  }

  /** A row-major copy of everything, in the order of the parameter table. */
  read(state: State): Float32Array {
    const all = new Float32Array([...this.#table.values()].reduce((sum, { count }) => sum + count, 0));
    for (const placed of this.placed) {
      const { offset, count } = placed.parameter;
      copy(this.#build, tensorOf(placed, state), placed.dims, all.subarray(offset, offset + count), "read");
    }
    return all;
  }

  write(state: State, all: Float32Array): void {
    for (const placed of this.placed) {
      const { offset, count } = placed.parameter;
      copy(this.#build, tensorOf(placed, state), placed.dims, all.subarray(offset, offset + count), "write");
    }
  }
}

function tensorOf(placed: PlacedParameter, state: State): Tensor {
  const tensor = { parameters: placed.value, momentum: placed.momentum, gradients: placed.gradient }[state];
  if (tensor === undefined) throw new Error(`${placed.parameter.name}: a program that predicts has no ${state}`);
  return tensor;
}

/** Copies between a tensor and row-major numbers of `dims` outside the program. Allocates: not for use within steps. */
export function copy(
  build: Build,
  tensor: Tensor,
  dims: readonly number[],
  values: Float32Array,
  direction: "read" | "write",
): void {
  const library = build.library.scope();
  try {
    const { bindings } = library;
    const plain = bindings.descriptor(dims, "row-major", "float32");
    const inside = bindings.createMemory(tensor.descriptor, build.address(tensor));
    const outside = bindings.createMemory(plain, addressOf(values));
    const [from, to] = direction === "read" ? [tensor.descriptor, plain] : [plain, tensor.descriptor];
    const [source, target] = direction === "read" ? [inside, outside] : [outside, inside];
    const primitive = bindings.createPrimitive(bindings.reorder(from, to, bindings.attributes({ relu: false })));
    bindings.execute(
      primitive,
      packArguments([
        [Argument.src, source],
        [Argument.dst, target],
      ]),
    );
    bindings.wait();
  } finally {
    library.close();
  }
}
