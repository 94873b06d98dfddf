import type { Network } from "../../network/network.js";
import { type Parameter, parameterCount, parameterTable } from "../../network/parameters.js";
import { inferShapes, type ShapedLayer, volume } from "../../network/shapes.js";
import { dropoutMask } from "../program/dropout-mask.js";
import type { Backward, Forward } from "./layer.js";
import { backward, forward } from "./layers.js";

const none = new Float64Array(0);

/** A network's parameters and activations for up to `batchSize` samples, and the forward pass over them. */
export class ForwardPass {
  readonly parameters: Float64Array;
  /** Activations (samples, channels, height, width): the first is the input, the last the logits. */
  readonly activations: readonly Float64Array[];
  protected readonly layers: readonly ShapedLayer[];
  protected readonly table: readonly Parameter[];
  /** By layer; empty for layers other than dropout. */
  readonly #masks: readonly Float64Array[];

  constructor(network: Network, batchSize: number) {
    this.layers = inferShapes(network);
    this.table = parameterTable(network);
    this.parameters = new Float64Array(parameterCount(network));
    this.activations = activationLengths(this.layers).map((length) => new Float64Array(batchSize * length));
    this.#masks = this.layers.map(({ layer, output }) =>
      layer.kind === "dropout" ? new Float64Array(batchSize * volume(output)) : none,
    );
  }

  get input(): Float64Array {
    return this.activations[0];
  }

  get logits(): Float64Array {
    return this.activations[this.layers.length];
  }

  /** What dropout multiplies by from now on: drawn by `seed` for samples from `firstSample` on, or all ones without. */
  drawMasks(samples: number, seed: number | undefined, firstSample = 0): void {
    this.layers.forEach(({ layer, output }, index) => {
      if (layer.kind !== "dropout") return;
      const units = volume(output);
      for (let sample = 0; sample < samples; sample++) {
        const mask = this.#masks[index].subarray(sample * units, (sample + 1) * units);
        if (seed === undefined) mask.fill(1);
        else dropoutMask(mask, layer.rate, seed, index, firstSample + sample);
      }
    });
  }

  /** Activations from the inputs of layer `first` on. */
  forward(samples: number, first = 0): void {
    for (let index = first; index < this.layers.length; index++)
      forward(this.layers[index].layer, this.valuesOf(index, samples));
  }

  protected valuesOf(index: number, samples: number): Forward {
    const { input, output } = this.layers[index];
    return {
      samples,
      input,
      output,
      x: this.activations[index],
      w: this.parameterOf(index, "weight", this.parameters),
      b: this.parameterOf(index, "bias", this.parameters),
      y: this.activations[index + 1],
      mask: this.#masks[index],
    };
  }

  /** The part of `all` that is the weights or biases of one layer. */
  protected parameterOf(index: number, role: Parameter["role"], all: Float64Array): Float64Array {
    const { name } = this.layers[index].layer;
    const own = this.table.find((parameter) => parameter.layer === name && parameter.role === role);
    return own === undefined ? none : all.subarray(own.offset, own.offset + own.count);
  }
}

/** The forward pass with the backward pass after it. */
export class TrainingPass extends ForwardPass {
  /** Of the loss by each parameter; on shared memory. */
  readonly gradients: Float64Array;
  /** Of the loss by each activation. */
  readonly #gradientsOf: readonly Float64Array[];

  constructor(network: Network, batchSize: number) {
    super(network, batchSize);
    this.gradients = new Float64Array(new SharedArrayBuffer(8 * this.parameters.length));
    this.#gradientsOf = this.activations.map(({ length }) => new Float64Array(length));
  }

  /** The loss's gradient by the logits: written by the caller before `backward`. */
  get logitGradients(): Float64Array {
    return this.#gradientsOf[this.layers.length];
  }

  /** Of the loss by the input, after `backward`. */
  get inputGradient(): Float64Array {
    return this.#gradientsOf[0];
  }

  /** Gradients of the parameters of layer `first` and those after it, before layer `end`, after `forward`. */
  backward(samples: number, first = 0, end = this.layers.length): void {
    for (let index = end - 1; index >= first; index--) {
      const values: Backward = {
        ...this.valuesOf(index, samples),
        dy: this.#gradientsOf[index + 1],
        dx: this.#gradientsOf[index],
        dw: this.parameterOf(index, "weight", this.gradients),
        db: this.parameterOf(index, "bias", this.gradients),
      };
      backward(this.layers[index].layer, values);
    }
  }
}

/** Of one sample. */
export function activationLengths(layers: readonly ShapedLayer[]): readonly number[] {
  return [volume(layers[0].input), ...layers.map(({ output }) => volume(output))];
}
