import type { Layer } from "../../network/network.js";
import type { Shape } from "../../network/shapes.js";

/** What a layer computes with: float64, row-major, activations (samples, channels, height, width). */
export interface Forward {
  readonly samples: number;
  readonly input: Shape;
  readonly output: Shape;
  readonly x: Float64Array;
  /** Weights and biases, as `network/parameters.ts` says; empty for layers without. */
  readonly w: Float64Array;
  readonly b: Float64Array;
  /** Overwritten. */
  readonly y: Float64Array;
  /** What dropout multiplies by, of y's shape; not read by other layers. */
  readonly mask: Float64Array;
}

/** After forward on the same values. Buffers never alias. */
export interface Backward extends Forward {
  /** Gradient of the loss by y. */
  readonly dy: Float64Array;
  /** Gradients by x, w and b: overwritten. */
  readonly dx: Float64Array;
  readonly dw: Float64Array;
  readonly db: Float64Array;
}

/** How one kind of layer computes. */
export interface LayerKind<L extends Layer> {
  forward(layer: L, values: Forward): void;
  backward(layer: L, values: Backward): void;
}
