import type { Parameter } from "../../network/parameters.js";
import { addressOf } from "../../system/native/memory.js";
import type { GradientBucket, Multipliers } from "../engine.js";
import type { Block } from "../program/blocks.js";
import { type ParameterPlace, ProgramParameters, type RatedParameter, tensorOf } from "../program/parameters.js";
import type { Build, Tensor } from "./build.js";
import { Argument, type Descriptor, packArguments } from "./native/bindings.js";

/** One parameter in the layout its operations chose. */
export interface PlacedParameter extends ParameterPlace<Tensor> {
  readonly dims: readonly number[];
  /** What products read: the value itself, or its copy in the program's number type. */
  readonly operand: Tensor;
}

/** How a parameter lies in memory. */
export interface ParameterLayouts {
  /** As products read it. */
  readonly operand: Descriptor;
  /** In float32, as it learns, where products read another number type. */
  readonly value?: () => Descriptor;
}

export interface ParameterOptions {
  readonly training: boolean;
  readonly multipliers?: Multipliers;
  /** Whether gradients lie in memory that other threads can see. */
  readonly sharesGradients?: boolean;
}

/** All parameters of a program, in layouts of the library. */
export class Parameters extends ProgramParameters<Tensor, PlacedParameter> {
  readonly #build: Build;
  readonly #values: Block;
  readonly #momentum: Block | undefined;
  readonly #gradients: Block | undefined;
  readonly #training: boolean;

  constructor(build: Build, table: readonly Parameter[], options: ParameterOptions) {
    const { training, multipliers, sharesGradients = false } = options;
    super(table, training, multipliers);
    this.#build = build;
    this.#training = training;
    this.#values = build.block(true);
    this.#momentum = training ? build.block(true) : undefined;
    const gradients = () => (sharesGradients ? build.sharedBlock() : build.block(true));
    this.#gradients = training ? gradients() : undefined;
  }

  /**
   * Places a parameter. One that learns is float32; where products read another number type, they read a copy, which
   * the update writes too. A program that predicts has only what products read.
   */
  place(name: string, dims: readonly number[], { operand, value }: ParameterLayouts): PlacedParameter {
    const build = this.#build;
    const copied = this.#training && value !== undefined;
    const placed = this.#place(this.rated(name), dims, copied ? value() : operand);
    const own = copied ? { ...placed, operand: build.tensor(operand, { kept: true }) } : placed;
    this.placed.push(own);
    return own;
  }

  /** Where backward operations put the gradient. */
  gradient(placed: PlacedParameter): Tensor {
    return tensorOf(placed, "gradients");
  }

  /** The gradients of each bucket's layers, as other threads can see them; after the build has finished. */
  buckets(layersOfBuckets: readonly (readonly string[])[]): readonly GradientBucket[] {
    return layersOfBuckets.map((layers) => {
      const { offset, bytes } = this.gradientRange(layers);
      const [first] = this.placed.flatMap(({ gradient }) => gradient ?? []);
      return { layers, values: this.#build.floats({ ...first, offset, bytes }) };
    });
  }

  protected placeUnused(rated: RatedParameter): PlacedParameter {
    const dims = [rated.parameter.count];
    return this.#place(rated, dims, this.#build.descriptor(dims, "row-major", "float32"));
  }

  protected copyOut({ dims }: PlacedParameter, tensor: Tensor, values: Float32Array): void {
    copy(this.#build, tensor, dims, values, "read");
  }

  protected copyIn({ dims, value, operand }: PlacedParameter, tensor: Tensor, values: Float32Array): void {
    copy(this.#build, tensor, dims, values, "write");
    if (tensor === value && operand !== value) copy(this.#build, operand, dims, values, "write");
  }

  #place(rated: RatedParameter, dims: readonly number[], descriptor: Descriptor): PlacedParameter {
    const build = this.#build;
    const value = build.append(this.#values, descriptor);
    return {
      ...rated,
      dims,
      value,
      operand: value,
      momentum: this.#momentum && build.append(this.#momentum, descriptor),
      gradient: this.#gradients && build.append(this.#gradients, descriptor),
    };
  }
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
