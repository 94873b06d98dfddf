import type { Build, Tensor } from "../build.js";
import { vectorOf } from "../kernels/kernels.js";
import { BLAS_WORKSPACE, type Matrix } from "../native/blas.js";
import type { ConvolutionShape } from "../native/dnn.js";
import { bytesOf } from "../native/format.js";
import { multiply } from "./product.js";

/** Columns are made and multiplied for so many bytes at a time: they should stay in the device's cache. */
const COLUMN_BYTES = 64 << 20;

/** Some samples, one group: what one product takes. */
interface Part {
  readonly group: number;
  readonly first: number;
  readonly samples: number;
}

/**
 * A convolution as products of matrices, one for each group and some samples: it takes any shape and any number of
 * channels. Columns lie in the scratch memory behind the matrix library's own.
 */
export class ConvolutionAsProduct {
  readonly #build: Build;
  readonly #shape: ConvolutionShape;
  /** Of one filter, which are a column matrix's columns. */
  readonly #depth: number;
  readonly #pixels: number;
  readonly #parts: readonly Part[];

  constructor(build: Build, shape: ConvolutionShape) {
    this.#build = build;
    this.#shape = shape;
    this.#depth = shape.size ** 2 * (shape.channels / shape.groups);
    this.#pixels = shape.outHeight * shape.outWidth;
    const perSample = this.#pixels * this.#depth * bytesOf(build.format);
    const samples = Math.min(shape.batch, Math.max(1, Math.floor(COLUMN_BYTES / perSample)));
    build.reserve(BLAS_WORKSPACE + samples * perSample);
    this.#parts = Array.from({ length: Math.ceil(shape.batch / samples) }, (_, i) => i * samples).flatMap((first) =>
      Array.from({ length: shape.groups }, (_, group) => ({
        ...{ group, first, samples: Math.min(samples, shape.batch - first) },
      })),
    );
  }

  forward(x: Tensor, w: Tensor, bias: Tensor, y: Tensor, rectify: boolean): () => void {
    return this.#each((part) => {
      const product = multiply(this.#build, {
        ...{ rows: part.samples * this.#pixels, columns: this.#filtersPerGroup, depth: this.#depth },
        a: this.#columns(),
        b: this.#filters(w, part, true),
        d: this.#outputs(y, part),
        bias: {
          address: this.#build.address(bias) + BigInt(part.group * this.#filtersPerGroup * bytesOf(bias.format)),
          rectify,
        },
      });
      return [this.#kernel("spread", x, part), product];
    });
  }

  /** dw is float32. */
  backwardWeights(x: Tensor, dy: Tensor, dw: Tensor): () => void {
    return this.#each((part) => {
      const product = multiply(this.#build, {
        ...{ rows: this.#filtersPerGroup, columns: this.#depth, depth: part.samples * this.#pixels },
        a: { ...this.#outputs(dy, part), transposed: true },
        b: this.#columns(),
        d: this.#filters(dw, part, false),
        accumulate: part.first > 0,
      });
      return [this.#kernel("spread", x, part), product];
    });
  }

  backwardData(dy: Tensor, w: Tensor, dx: Tensor): () => void {
    return this.#each((part) => {
      const product = multiply(this.#build, {
        ...{ rows: part.samples * this.#pixels, columns: this.#depth, depth: this.#filtersPerGroup },
        a: this.#outputs(dy, part),
        b: this.#filters(w, part, false),
        d: this.#columns(),
      });
      return [product, this.#kernel("gather", dx, part)];
    });
  }

  get #filtersPerGroup(): number {
    return this.#shape.filters / this.#shape.groups;
  }

  #each(prepare: (part: Part) => readonly (() => void)[]): () => void {
    const all = this.#parts.flatMap(prepare);
    return () => {
      for (const run of all) run();
    };
  }

  #columns(): Matrix {
    return { address: this.#build.scratch(BLAS_WORKSPACE), format: this.#build.format, stride: this.#depth };
  }

  /** One group's filters, (filters, depth). */
  #filters(tensor: Tensor, { group }: Part, transposed: boolean): Matrix {
    return this.#build.matrix(tensor, this.#depth, { transposed, first: group * this.#filtersPerGroup * this.#depth });
  }

  /** One group's outputs of some samples, (pixels, filters): every pixel has those of the other groups between. */
  #outputs(tensor: Tensor, { group, first }: Part): Matrix {
    const { filters } = this.#shape;
    return this.#build.matrix(tensor, filters, {
      first: first * this.#pixels * filters + group * this.#filtersPerGroup,
    });
  }

  #kernel(name: "spread" | "gather", maps: Tensor, { group, first, samples }: Part): () => void {
    const { channels, height, width, size, stride, padding, groups, outHeight, outWidth } = this.#shape;
    const perGroup = channels / groups;
    const definitions = {
      ...{ HEIGHT: height, WIDTH: width, CHANNELS: channels, GROUP: perGroup, VECTOR: vectorOf(perGroup) },
      ...{ SIZE: size, STRIDE: stride, PADDING: padding, OUT_HEIGHT: outHeight, OUT_WIDTH: outWidth },
    };
    const build = this.#build;
    const values = name === "spread" ? this.#pixels * this.#depth : height * width * perGroup;
    const mapsAt = build.address(maps) + BigInt(first * height * width * channels * bytesOf(maps.format));
    const columnsAt = build.scratch(BLAS_WORKSPACE);
    const [from, to] = name === "spread" ? [mapsAt, columnsAt] : [columnsAt, mapsAt];
    const work = (samples * values) / definitions.VECTOR;
    return build.gpu.kernels.each("columns", name, definitions, work, [from, to, group * perGroup, samples]);
  }
}
