import type { Parameter } from "../../network/parameters.js";
import type { Multipliers, State } from "../engine.js";
import type { Block } from "../program/blocks.js";
import { type ParameterPlace, ProgramParameters, type RatedParameter } from "../program/parameters.js";
import type { Build, Tensor } from "./build.js";
import { type Layout, pack, plain, unpack } from "./layers/layout.js";
import { bytesOf } from "./native/format.js";

/** One parameter where the layers want it. */
export interface PlacedParameter extends ParameterPlace<Tensor> {
  readonly layout: Layout;
  /** What multiplies: the value itself, or its bf16 copy, which every change of the value writes too. */
  readonly operand: Tensor;
}

/** Values that every parameter's place begins at a multiple of: 256 bytes of bf16. */
const PLACE_VALUES = 128;

/** All parameters of a program, in float32; where products are of bf16, with copies in that. */
export class Parameters extends ProgramParameters<Tensor, PlacedParameter> {
  readonly #build: Build;
  readonly #values: Block;
  readonly #copies: Block | undefined;
  readonly #momentum: Block | undefined;
  readonly #gradients: Block | undefined;
  #length = 0;

  constructor(build: Build, table: readonly Parameter[], training: boolean, multipliers?: Multipliers) {
    super(table, training, multipliers);
    this.#build = build;
    this.#values = build.block(true);
    this.#copies = build.format === "bf16" ? build.block(true) : undefined;
    this.#momentum = training ? build.block(true) : undefined;
    this.#gradients = training ? build.block(true) : undefined;
  }

  /** The first values of all blocks: a flat view of each. */
  get flat() {
    const view = (block: Block | undefined, format: "float32" | "bf16"): Tensor | undefined =>
      block && { block, offset: 0, length: this.#length, bytes: this.#length * bytesOf(format), format };
    return {
      values: view(this.#values, "float32"),
      copies: view(this.#copies, "bf16"),
      momentum: view(this.#momentum, "float32"),
      gradients: view(this.#gradients, "float32"),
    };
  }

  /** Gives a parameter its place, in `layout`. */
  place(name: string, layout: Layout): PlacedParameter {
    const placed = this.#place(this.rated(name), layout);
    this.placed.push(placed);
    return placed;
  }

  protected placeUnused(rated: RatedParameter): PlacedParameter {
    return this.#place(rated, plain(rated.parameter.count));
  }

  protected copyOut({ layout }: PlacedParameter, tensor: Tensor, values: Float32Array): void {
    unpack(layout, this.#build.read(tensor), values);
  }

  protected copyIn({ layout, value, operand }: PlacedParameter, tensor: Tensor, all: Float32Array, state: State): void {
    const values = pack(layout, all);
    this.#build.write(tensor, values);
    if (state === "parameters" && operand !== value) this.#build.write(operand, values);
  }

  #place(rated: RatedParameter, layout: Layout): PlacedParameter {
    const { length } = layout;
    const offset = this.#length;
    const values = Math.ceil(length / PLACE_VALUES) * PLACE_VALUES; // the same in every format: places agree
    this.#length += values;
    const within = (block: Block, format: "float32" | "bf16"): Tensor => {
      block.bytes += values * bytesOf(format);
      return { block, offset: offset * bytesOf(format), length, bytes: length * bytesOf(format), format };
    };
    const value = within(this.#values, "float32");
    return {
      ...rated,
      layout,
      value,
      momentum: this.#momentum && within(this.#momentum, "float32"),
      gradient: this.#gradients && within(this.#gradients, "float32"),
      operand: this.#copies ? within(this.#copies, "bf16") : value,
    };
  }
}
