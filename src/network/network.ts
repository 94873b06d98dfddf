/**
 * What a network is: plain readonly data. Nothing here computes activations; engines do (see engine/engine.ts).
 * Shapes are (channels, height, width) of one picture; the batch is the engine's business.
 */

export interface Convolution {
  readonly kind: "convolution";
  readonly name: string;
  readonly filters: number;
  /** Height and width of each filter. */
  readonly size: number;
  readonly stride: number;
  /** Zeros added on every side. */
  readonly padding: number;
  /** Filters and channels fall into this many halves (2 in the paper: its two GPUs) that don't see each other. */
  readonly groups: number;
}

export interface Relu {
  readonly kind: "relu";
  readonly name: string;
}

/** As the paper's comparison has it (section 3.1). */
export interface Tanh {
  readonly kind: "tanh";
  readonly name: string;
}

/**
 * b_i = a_i / (k + alpha * sum_j a_j^2)^beta, j over a window around i that is cut at the edges (paper section 3.3).
 * alpha is not divided by the window's size.
 */
export interface LocalResponseNorm {
  readonly kind: "local-response-norm";
  readonly name: string;
  readonly k: number;
  readonly n: number;
  readonly alpha: number;
  readonly beta: number;
  /** The window: n maps at one place, as in the paper and where left out, or n x n places of one map. */
  readonly region?: "across-maps" | "within-map";
  /** Windows across maps don't cross the borders of this many equal parts; 1 where left out. */
  readonly groups?: number;
}

/** Windows that would reach over the edge are left out (the output size is rounded down). */
export interface MaxPool {
  readonly kind: "max-pool";
  readonly name: string;
  readonly size: number;
  readonly stride: number;
}

/** The mean of each window; windows as max-pool has them. */
export interface AveragePool {
  readonly kind: "average-pool";
  readonly name: string;
  readonly size: number;
  readonly stride: number;
}

/** Sees all values of its input, flattened in (channel, row, column) order. */
export interface FullyConnected {
  readonly kind: "fully-connected";
  readonly name: string;
  readonly outputs: number;
}

/** In training each value is zeroed with probability `rate`, the others multiplied by 1 / (1 - rate). */
export interface Dropout {
  readonly kind: "dropout";
  readonly name: string;
  readonly rate: number;
}

export type Layer = Convolution | Relu | Tanh | LocalResponseNorm | MaxPool | AveragePool | FullyConnected | Dropout;

/** The last layer's outputs are the logits; softmax and cross-entropy belong to the engine. */
export interface Network {
  readonly name: string;
  /** The crop the network sees: `channels` x `size` x `size`, out of 256x256 pictures. */
  readonly input: { readonly channels: 3; readonly size: number };
  readonly layers: readonly Layer[];
}
