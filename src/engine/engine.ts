import type { Layer, Network } from "../network/network.js";
import type { Batch, Preprocessing } from "../network/picture.js";
import type { Shape } from "../network/shapes.js";

/**
 * The contract between what a network is and how it runs. An engine compiles a network for a batch size into a
 * program that owns all its memory; after compiling, a training step allocates nothing.
 *
 * Values cross this border in one form only: float32, row-major, images (channels, height, width), weights as
 * `network/parameters.ts` says. Memory layouts, workspaces and algorithms stay inside the engine's folder.
 *
 * A training step is forward, backward and update. It can be split between gradients and update, so that gradients are
 * summed over the ranks of a distributed run there, those of the last layers while the first are still worked on:
 *
 *     const own = program.forward(batch, { seed, samples, firstSample }); // of the whole batch, on all ranks
 *     const sums = program.buckets.map(async ({ values }, bucket) => {
 *       await program.backward(bucket);                       // writes the gradients of its layers to `values`
 *       await world.sum(values);                              // while the next bucket's are computed
 *     });
 *     await Promise.all([own, ...sums]);
 *     await program.update({ learningRate, momentum, weightDecay });
 *
 * Losses and gradients are sums over a rank's own samples, each times its weight if the batch has weights, divided by the
 * samples of the whole batch: their sums over all ranks are the means over the whole batch, also where ranks have unequal
 * shares of it. When the sum of the losses is
 * not finite, `update` is left out. A split step of one rank gives the bits that `step` gives.
 */

/**
 * What activations and weights are multiplied as; sums, the parameters' own values, momentum and loss are float32 in
 * all of them. tf32 keeps float32's range and 10 bits of fraction in products, bf16 stores 7. The table of engines
 * (`host/engines.ts`) says which engine has which.
 */
export const precisions = ["bf16", "tf32", "float32"] as const;
export type Precision = (typeof precisions)[number];

/** What can be asked for: "auto" is what is quickest where it runs. */
export const precisionChoices = ["auto", ...precisions] as const;
export type PrecisionChoice = (typeof precisionChoices)[number];

export interface CompileOptions {
  /** The most samples a batch may hold. Fewer is exact too: means are over the samples there are. */
  readonly batchSize: number;
  /** "train" holds gradients and momentum as well; "predict" neither. */
  readonly mode: "train" | "predict";
  readonly preprocessing: Preprocessing;
  /** By parameter name, factors of the step's learning rate and weight decay; 1 where not named. A rate of 0 freezes. */
  readonly multipliers?: Multipliers;
  /** Begin after this layer: batches give its outputs. Nothing up to it runs or learns; its parameters are only kept. */
  readonly after?: string;
  /** Layers whose outputs `activation` can read. */
  readonly observe?: readonly string[];
  /** Whether steps also take the gradient by the input, for `inputGradient`. Only in mode "train". */
  readonly inputGradient?: boolean;
  /** What another program of the same network chose: for the same bits as it. Choices that can't be had here are ignored. */
  readonly algorithms?: AlgorithmChoices;
  /**
   * Lets steps be split: gradients then lie in buckets of at least so many bytes, which share memory with the caller.
   * Only in mode "train".
   */
  readonly bucketBytes?: number;
}

/** By layer and direction, the algorithm of each operation for which there are several. */
export type AlgorithmChoices = Readonly<Record<string, string>>;

export type Multipliers = Readonly<
  Record<string, { readonly learningRate: number; readonly weightDecay: number } | undefined>
>;

/** One update by the paper's rule (section 5): v = momentum v - weightDecay lr w - lr g, w += v. */
export interface UpdateOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

export interface StepOptions extends UpdateOptions {
  /** Keys this step's dropout. Same seed, same batch, same parameters: the same result, bit for bit. */
  readonly seed: number;
}

/** The first part of a step that is split. */
export interface ForwardOptions {
  /** Keys this step's dropout. */
  readonly seed: number;
  /** What sums of losses and gradients are divided by: samples of the whole batch. Default: those of this batch. */
  readonly samples?: number;
  /** The place of this batch's first sample in the whole batch: what dropout drops goes by places there. Default 0. */
  readonly firstSample?: number;
}

/** Gradients that are ready together, and summed together. */
export interface GradientBucket {
  /** The layers whose gradients these are, the last first. */
  readonly layers: readonly string[];
  /**
   * Shared memory: `backward` writes it, `update` reads it, and the caller may write it between the two. In an order of
   * the engine's own, which programs share whose network, options, algorithms and `EngineDescription` are the same.
   */
  readonly values: Float32Array | Float64Array;
}

export interface StepResult {
  /**
   * Mean cross-entropy of the batch before the update, in nats, each sample's times its weight; of a split step see
   * `ForwardOptions.samples`.
   */
  readonly loss: number;
  /** Samples whose label had the highest probability. */
  readonly correct: number;
  /** Samples whose label was among the five highest; where the engine counts them. */
  readonly correctTop5?: number;
}

/** What a program holds one value of per parameter: see `parameterTable` for the order. */
export type State = "parameters" | "momentum" | "gradients";

/**
 * A network compiled for one batch size. Calls are carried out in order, one at a time. A caller who asks for the next
 * step before the one before is answered spares the engine the wait between them: one whose device has memory of its
 * own brings the pictures there meanwhile.
 */
export interface Program {
  readonly batchSize: number;
  /** Memory the program holds, in bytes. */
  readonly memoryBytes: number;
  /** Where the engine chooses by measuring: what it chose. */
  readonly algorithms?: AlgorithmChoices;
  /**
   * Makes room for a set of pictures that stay where the program computes, in place of any before: batches then name
   * them instead of bringing them.
   * @returns for how many there is room: fewer than `count`, and none can be held; 0 of engines that compute in the
   * memory where pictures lie anyway
   */
  reserve(count: number): Promise<number>;
  /** Holds these pictures too, behind those held before. */
  hold(pictures: Uint8Array): Promise<void>;
  /** Forward with dropout, backward, update. No update when the loss isn't finite. Only in mode "train". */
  step(batch: Batch, options: StepOptions): Promise<StepResult>;
  /** What lies between the parts of a split step, in the order that `backward` takes; none where steps are not split. */
  readonly buckets: readonly GradientBucket[];
  /** The first part of a split step: forward with dropout, and the loss. */
  forward(batch: Batch, options: ForwardOptions): Promise<StepResult>;
  /** Goes on with the latest `forward` until the gradients of this bucket are there: each bucket once, in order. */
  backward(bucket: number): Promise<void>;
  /** Ends a split step by the gradients in the buckets. */
  update(options: UpdateOptions): Promise<void>;
  /** Softmax outputs without dropout: (views, classes), row-major. */
  predict(batch: Batch): Promise<Float32Array>;
  /** `steps` steps one operation at a time, timed: rows in the order they run, and the median of the whole step. */
  profile(batch: Batch, options: StepOptions, steps: number): Promise<Profile>;
  /** An observed layer's output for the latest batch: (views, channels, height, width), or (views, length). */
  activation(layer: string): Promise<Float32Array>;
  /** Of the latest step's mean loss by the prepared input: (views, 3, size, size). */
  inputGradient(): Promise<Float32Array>;
  /**
   * Of each sample's score by the prepared input, without dropout: (views, 3, size, size). The score is the label's logit
   * less the mean of all logits, which has a gradient also where the network is sure of its class. Only where compiled
   * with `inputGradient`; takes the place of the latest step's gradients.
   */
  scoreGradient(batch: Batch): Promise<Float32Array>;
  /**
   * A copy. "momentum" and "gradients" (of the latest step's mean loss) only in mode "train". The parameters of a program
   * that predicts are as it holds them: rounded to the precision of products.
   */
  read(state: State): Promise<Float32Array>;
  write(state: "parameters" | "momentum", values: Float32Array): Promise<void>;
  close(): Promise<void>;
}

/** Row-major numbers with their shape; float64, so that nothing is lost at this border. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** One layer alone: images (batch, channels, height, width), or (batch, length). */
export interface LayerInputs {
  readonly x: Tensor;
  /** Weights and biases, for layers that have them. */
  readonly w?: Tensor;
  readonly b?: Tensor;
  /** Upstream gradient, of the output's shape. */
  readonly dy: Tensor;
}

export interface LayerOutputs {
  readonly y: Tensor;
  readonly dx: Tensor;
  readonly dw?: Tensor;
  readonly db?: Tensor;
}

export interface LossOutputs {
  readonly probabilities: Tensor;
  /** Mean over the batch of each sample's cross-entropy times its weight. */
  readonly loss: number;
  readonly dlogits: Tensor;
}

export interface EngineDescription {
  /** Its name in the table of engines (`host/engines.ts`). */
  readonly engine: string;
  /** The library that does the work and its version: "oneDNN 2.6.3". */
  readonly library: string;
  /** What of the processor it uses: "AVX2"; or the device and the precision: "NVIDIA H200, sm_90, bf16". */
  readonly instructionSet: string;
  /** What products are computed in. */
  readonly precision: Precision;
  readonly threads: number;
}

/** Where a step's time goes: one operation of one layer in one direction. */
export interface LayerTime {
  readonly layer: string;
  readonly kind: Layer["kind"] | "input" | "loss" | "update" | "reorder";
  readonly direction: "forward" | "backward-data" | "backward-weights" | "update";
  /** The median over the steps measured. */
  readonly milliseconds: number;
  /** The part of it that one thread does alone, however many there are. */
  readonly serialMilliseconds: number;
  /** Floating-point operations of direct convolution or matrix product; 0 for what only moves memory. */
  readonly flops: number;
  /** Read and written at the least. */
  readonly bytes: number;
  /** The library's own name of the implementation. */
  readonly implementation: string;
}

export interface Profile {
  readonly rows: readonly LayerTime[];
  /** Of the same steps, the median from the first operation to the last. */
  readonly milliseconds: number;
}

export interface Engine {
  readonly description: EngineDescription;
  /** Where "auto" had a choice: what it chose and why. */
  readonly choice?: string;
  compile(network: Network, options: CompileOptions): Promise<Program>;
  /** Bytes a program would hold, without compiling it. */
  estimateMemory(network: Network, options: Pick<CompileOptions, "batchSize" | "mode">): Promise<number>;
  /** Runs one layer forward and backward by the very code that programs use (never dropout). For conformance tests. */
  differentiate(layer: Layer, inputs: LayerInputs): Promise<LayerOutputs>;
  /** Softmax and cross-entropy of (batch, classes) logits, by the code that programs use. */
  crossEntropy(logits: Tensor, labels: Int32Array, weights?: Float32Array): Promise<LossOutputs>;
  /**
   * a times b transposed: row-major (rows, length) and (columns, length) to (rows, columns). Operands on a
   * SharedArrayBuffer cross to the compute thread uncopied.
   */
  multiply(a: Float32Array, b: Float32Array, length: number): Promise<Float32Array>;
  /** The machine's own rate: float32 matrix product of size cubed, operations per second, best of a few. */
  measureMatrixRate(size: number): Promise<number>;
  /** The machine's own rate: copying `bytes` of memory, bytes read and written per second, best of a few. */
  measureCopyRate(bytes: number): Promise<number>;
  close(): Promise<void>;
}

/** The (channels, height, width) of one picture in a (batch, …) tensor. */
export function pictureShape(tensor: Tensor): Shape {
  const [, channels = 1, height = 1, width = 1] = tensor.shape;
  return { channels, height, width };
}
