import type { Parameter } from "../../network/parameters.js";
import type { Multipliers, State } from "../engine.js";
import type { Block } from "../program/blocks.js";
import { type ParameterPlace, ProgramParameters, type RatedParameter } from "../program/parameters.js";
import { type Build, slice } from "./build.js";
import type { Tensor } from "./dispatch.js";

export type PlacedParameter = ParameterPlace<Tensor>;

/** All parameters of a program, in float32, row-major as at the border. */
export class Parameters extends ProgramParameters<Tensor, PlacedParameter> {
  readonly #build: Build;
  readonly #blocks: Readonly<Record<State, Block | undefined>>;
  /** A state that was read, block by block. */
  #copy: Float32Array = new Float32Array();

  constructor(build: Build, table: readonly Parameter[], training: boolean, multipliers?: Multipliers) {
    super(table, training, multipliers);
    this.#build = build;
    this.#blocks = {
      parameters: build.block(true),
      momentum: training ? build.block(true) : undefined,
      gradients: training ? build.block(true) : undefined,
    };
  }

  /** Gives a parameter its place. */
  place(name: string): PlacedParameter {
    const placed = this.placeUnused(this.rated(name));
    this.placed.push(placed);
    return placed;
  }

  /** Brings a state from the device, for `read`. */
  async fetch(state: State): Promise<void> {
    const block = this.#blocks[state];
    if (block === undefined || block.bytes === 0) return;
    this.#copy = await this.#build.read(slice({ block, offset: 0, bytes: 0, length: 0 }, 0, block.bytes / 4));
  }

  /** The gradients of these layers, side by side. */
  gradientsOf(layers: readonly string[]): Tensor {
    const { offset, bytes } = this.gradientRange(layers);
    const block = this.#blocks.gradients;
    if (block === undefined) throw new Error("only training has gradients");
    return { block, offset, bytes, length: bytes / 4 };
  }

  protected placeUnused(rated: RatedParameter): PlacedParameter {
    const { parameters, momentum, gradients } = this.#blocks;
    const within = (block: Block | undefined) => block && this.#build.append(block, rated.parameter.count);
    const value = within(parameters);
    if (value === undefined) throw new Error("every program has parameters");
    return { ...rated, value, momentum: within(momentum), gradient: within(gradients) };
  }

  protected copyOut(_placed: PlacedParameter, { offset, length }: Tensor, values: Float32Array): void {
    values.set(this.#copy.subarray(offset / 4, offset / 4 + length));
  }

  protected copyIn(_placed: PlacedParameter, tensor: Tensor, values: Float32Array): void {
    this.#build.write(tensor, values);
  }
}
