import { AlexnetError } from "../../errors.js";
import type { Parameter } from "../../network/parameters.js";
import type { Multipliers, State } from "../engine.js";
import type { Build, Tensor } from "./build.js";
import { bytesOf } from "./format.js";
import { type Layout, pack, plain, unpack } from "./layout.js";

/** One parameter where the layers want it. */
export interface PlacedParameter {
  readonly parameter: Parameter;
  readonly layout: Layout;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** float32, always. */
  readonly value: Tensor;
  readonly momentum: Tensor | undefined;
  readonly gradient: Tensor | undefined;
  /** What multiplies: the value itself, or its bf16 copy, which every change of the value writes too. */
  readonly operand: Tensor;
}

/**
 * All parameters of a program. Values, momentum, gradients and copies lie in blocks with the same places in each, so
 * that the update may run over them as flat memory.
 */
export class Parameters {
  readonly placed: PlacedParameter[] = [];
  readonly #build: Build;
  readonly #table: ReadonlyMap<string, Parameter>;
  readonly #multipliers: Multipliers;
  readonly #values: Tensor["block"];
  readonly #copies: Tensor["block"] | undefined;
  readonly #momentum: Tensor["block"] | undefined;
  readonly #gradients: Tensor["block"] | undefined;
  #length = 0;

  constructor(build: Build, table: readonly Parameter[], training: boolean, multipliers: Multipliers = {}) {
    this.#build = build;
    this.#table = new Map(table.map((parameter) => [parameter.name, parameter]));
    this.#multipliers = multipliers;
    this.#values = build.block(true);
    this.#copies = build.format === "bf16" ? build.block(true) : undefined;
    this.#momentum = training ? build.block(true) : undefined;
    this.#gradients = training ? build.block(true) : undefined;
  }

  /** The first values of all blocks: a flat view of each. */
  get flat() {
    const view = (block: Tensor["block"] | undefined, format: "float32" | "bf16"): Tensor | undefined =>
      block && { block, offset: 0, length: this.#length, bytes: this.#length * bytesOf(format), format };
    return {
      values: view(this.#values, "float32"),
      copies: view(this.#copies, "bf16"),
      momentum: view(this.#momentum, "float32"),
      gradients: view(this.#gradients, "float32"),
    };
  }

  /** Whether a step changes anything of `layer`: its parameters' learning rates are not all 0. */
  learns(layer: string): boolean {
    if (this.#gradients === undefined) return false;
    const own = [...this.#table.values()].filter((parameter) => parameter.layer === layer);
    return own.some(({ name }) => this.#multipliers[name]?.learningRate !== 0);
  }

  /** Gives a parameter its place, in `layout`. */
  place(name: string, layout: Layout, learningRate = this.#multipliers[name]?.learningRate ?? 1): PlacedParameter {
    const parameter = this.#table.get(name);
    if (parameter === undefined) throw new Error(`${name} is not in the parameter table`);
    const room = Math.ceil(layout.length / ROOM) * ROOM; // the same in every format: places agree
    const offset = this.#length;
    this.#length += room;
    const within = (block: Tensor["block"], format: "float32" | "bf16"): Tensor => {
      block.bytes += room * bytesOf(format);
      const { length } = layout;
      return { block, offset: offset * bytesOf(format), length, bytes: length * bytesOf(format), format };
    };
    const value = within(this.#values, "float32");
    const placed = {
      parameter,
      layout,
      learningRate,
      weightDecay: this.#multipliers[name]?.weightDecay ?? 1,
      value,
      momentum: this.#momentum && within(this.#momentum, "float32"),
      gradient: this.#gradients && within(this.#gradients, "float32"),
      operand: this.#copies ? within(this.#copies, "bf16") : value,
    };
    this.placed.push(placed);
    return placed;
  }

  /** Places the parameters of a layer that doesn't run: they are only read and written. */
  keep(layer: string): void {
    for (const { name, layer: owner, count } of this.#table.values())
      if (owner === layer) this.place(name, plain(count), 0);
  }

  /** A row-major copy of everything, in the order of the parameter table. */
  read(state: State): Float32Array {
    const all = new Float32Array([...this.#table.values()].reduce((sum, { count }) => sum + count, 0));
    for (const placed of this.placed) {
      const { offset, count } = placed.parameter;
      unpack(placed.layout, this.#build.read(tensorOf(placed, state)), all.subarray(offset, offset + count));
    }
    return all;
  }

  write(state: "parameters" | "momentum", all: Float32Array): void {
    for (const placed of this.placed) {
      const { offset, count } = placed.parameter;
      const values = pack(placed.layout, all.subarray(offset, offset + count));
      this.#build.write(tensorOf(placed, state), values);
      if (state === "parameters" && placed.operand !== placed.value) this.#build.write(placed.operand, values);
    }
  }
}

/** Values that every parameter's place begins at a multiple of: 256 bytes of bf16. */
const ROOM = 128;

function tensorOf(placed: PlacedParameter, state: State): Tensor {
  const tensor = { parameters: placed.value, momentum: placed.momentum, gradients: placed.gradient }[state];
  if (tensor === undefined)
    throw new AlexnetError("engine", `${placed.parameter.name}: a program that predicts has no ${state}`);
  return tensor;
}
