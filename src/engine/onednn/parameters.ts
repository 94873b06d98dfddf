import koffi from "koffi";
import type { Parameter } from "../../network/parameters.js";
import type { GradientBucket, Multipliers } from "../engine.js";
import type { Block } from "../program/blocks.js";
import { type ParameterPlace, ProgramParameters, type RatedParameter, tensorOf } from "../program/parameters.js";
import { Argument, type Pointer } from "./bindings.js";
import { type Build, packArguments, type Tensor } from "./build.js";

/** One parameter in the layout its forward operation chose. */
export interface PlacedParameter extends ParameterPlace<Tensor> {
  /** The row-major descriptor of the same dims. */
  readonly plain: Pointer;
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

  constructor(build: Build, table: readonly Parameter[], options: ParameterOptions) {
    const { training, multipliers, sharesGradients = false } = options;
    super(table, training, multipliers);
    this.#build = build;
    this.#values = build.block(true);
    this.#momentum = training ? build.block(true) : undefined;
    const gradients = () => (sharesGradients ? build.sharedBlock() : build.block(true));
    this.#gradients = training ? gradients() : undefined;
  }

  /** Places a parameter in `descriptor`'s layout. */
  place(name: string, dims: readonly number[], descriptor: Pointer): PlacedParameter {
    const placed = this.#place(this.rated(name), dims, descriptor);
    this.placed.push(placed);
    return placed;
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
    return this.#place(rated, dims, this.#build.descriptor(dims, "row-major"));
  }

  protected copyOut({ plain }: PlacedParameter, tensor: Tensor, values: Float32Array): void {
    copy(this.#build, tensor, plain, values, "read");
  }

  protected copyIn({ plain }: PlacedParameter, tensor: Tensor, values: Float32Array): void {
    copy(this.#build, tensor, plain, values, "write");
  }

  #place(rated: RatedParameter, dims: readonly number[], descriptor: Pointer): PlacedParameter {
    const build = this.#build;
    return {
      ...rated,
      plain: build.descriptor(dims, "row-major"),
      value: build.append(this.#values, descriptor),
      momentum: this.#momentum && build.append(this.#momentum, descriptor),
      gradient: this.#gradients && build.append(this.#gradients, descriptor),
    };
  }
}

/** Copies between a tensor and row-major numbers outside the program. Allocates: not for use within steps. */
export function copy(
  build: Build,
  tensor: Tensor,
  plain: Pointer,
  values: Float32Array,
  direction: "read" | "write",
): void {
  const { bindings, engine, stream } = build.library;
  const inside = bindings.createMemory(tensor.descriptor, engine, build.address(tensor));
  const outside = bindings.createMemory(plain, engine, koffi.address(values));
  const [from, to] = direction === "read" ? [tensor.descriptor, plain] : [plain, tensor.descriptor];
  const descriptor = bindings.reorder(from, to, bindings.attributes({ relu: false }));
  const primitive = bindings.createPrimitive(descriptor);
  const [source, target] = direction === "read" ? [inside, outside] : [outside, inside];
  bindings.execute(
    primitive,
    stream,
    2,
    packArguments([
      [Argument.src, source],
      [Argument.dst, target],
    ]),
  );
  bindings.wait(stream);
  bindings.destroyPrimitive(primitive);
  bindings.destroyPrimitiveDescriptor(descriptor);
  bindings.destroyMemory(inside);
  bindings.destroyMemory(outside);
}
