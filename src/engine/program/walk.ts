import type { Layer, Network } from "../../network/network.js";
import { parameterTable } from "../../network/parameters.js";
import { inferShapes, type Shape, type ShapedLayer } from "../../network/shapes.js";
import type { CompileOptions } from "../engine.js";
import type { Phase } from "./operations.js";

/** Where a layer stands in its network. */
export interface Position {
  /** The layer's index in its network; it keys dropout. */
  readonly index: number;
  readonly output: Shape;
  /** The layers after it that it may take over, as far as nobody observes what is between. */
  readonly following: readonly Layer[];
  /** Nothing comes after it: its outputs are the logits. */
  readonly last: boolean;
  /** Something before this layer learns, so its input's gradient is wanted. */
  readonly needsInputGradient: boolean;
}

/** A layer's forward operations have been added. `A` is what flows between layers, `T` a gradient of it. */
export interface Stage<A, T> {
  readonly y: A;
  /** Adds the backward operations. Takes the gradient of y, which it may overwrite; gives the gradient of x if needed. */
  backward(dy: T): T | undefined;
}

/** What the walk needs of an engine. */
export interface Walker<A, T> {
  /** Adds the forward operations of `layer`, and of those following that it takes along: `count` in all. */
  add(layer: Layer, x: A, position: Position): { readonly stage: Stage<A, T>; readonly count: number };
  /** Keeps the values of `y` alive until the next batch. */
  observe(y: A): void;
  /** Places the parameters of a layer that doesn't run. */
  keep(layer: string): void;
  /** Whether a step changes anything of the layer. */
  learns(layer: string): boolean;
  /** Operations that are added from now on belong to this phase. */
  begin(phase: Phase, bucket?: number): void;
}

/** Goes through a network's layers forwards and back, and has an engine add their operations. */
export class Walk<A, T> {
  /** By layer, the outputs that `activation` can read. */
  readonly observed = new Map<string, A>();
  /** The layers before the first that runs. */
  readonly before: readonly ShapedLayer[];
  /** Names of the layers that learn, in buckets whose gradients are ready together; the last layers first. */
  readonly buckets: readonly (readonly string[])[];
  readonly #network: Network;
  readonly #options: CompileOptions;
  readonly #walker: Walker<A, T>;
  readonly #stages: { readonly layer: string; readonly stage: Stage<A, T> }[] = [];
  readonly #shaped: readonly ShapedLayer[];
  /** Whether the gradient of the latest layer's output is wanted. */
  #wanted: boolean;

  constructor(network: Network, options: CompileOptions, walker: Walker<A, T>) {
    this.#network = network;
    this.#options = options;
    this.#walker = walker;
    this.#wanted = options.inputGradient ?? false;
    this.#shaped = inferShapes(network);
    const first = firstLayer(network, options);
    this.before = this.#shaped.slice(0, first);
    this.buckets = gradientBuckets(network, options, walker.learns);
    for (const { layer } of this.before) walker.keep(layer.name);
  }

  /** Adds the forward operations of all layers that run. @returns the logits */
  forward(input: A): A {
    const { layers } = this.#network;
    const observe = this.#options.observe ?? [];
    this.#walker.begin("forward");
    let y = input;
    for (let index = this.before.length; index < layers.length; ) {
      const shaped = this.#shaped[index];
      if (shaped === undefined) break;
      const { layer, output } = shaped;
      const { stage, count } = this.#walker.add(layer, y, {
        index,
        output,
        following: unobserved(layers, index, observe),
        last: index === layers.length - 1,
        needsInputGradient: this.#wanted,
      });
      this.#wanted ||= this.#walker.learns(layer.name);
      this.#stages.push({ layer: layer.name, stage });
      y = stage.y;
      index += count;
      const name = layers[index - 1]?.name;
      if (name === undefined || !observe.includes(name)) continue;
      this.#walker.observe(y);
      this.observed.set(name, y);
    }
    return y;
  }

  /**
   * Adds the backward operations, bucket by bucket.
   * @param dlogits the gradient of the logits
   * @returns the gradient of the input, where it is wanted
   */
  backward(dlogits: T | undefined): T | undefined {
    let bucket = 0;
    let dy = this.#wanted ? dlogits : undefined;
    for (const { layer, stage } of this.#stages.reverse()) {
      const own = this.buckets.findIndex((layers) => layers.includes(layer));
      if (own !== -1) bucket = own;
      this.#walker.begin("backward", bucket);
      dy = dy && stage.backward(dy);
    }
    return this.#options.inputGradient ? dy : undefined;
  }
}

/** The index of the first layer that runs. */
export function firstLayer({ layers }: Network, { after }: Pick<CompileOptions, "after">): number {
  return layers.findIndex(({ name }) => name === after) + 1;
}

/**
 * The layers that run and learn, from the last to the first, in buckets of at least `bucketBytes` of gradients: all in
 * one where steps are not split.
 */
export function gradientBuckets(
  network: Network,
  { after, bucketBytes = Number.POSITIVE_INFINITY }: Pick<CompileOptions, "after" | "bucketBytes">,
  learns: (layer: string) => boolean,
): readonly (readonly string[])[] {
  const first = firstLayer(network, { after });
  const running = network.layers.slice(first).map(({ name }) => name);
  const table = parameterTable(network);
  const buckets: string[][] = [];
  let open: { readonly layers: string[]; bytes: number } | undefined;
  for (const layer of running.filter(learns).reverse()) {
    if (open === undefined || open.bytes >= bucketBytes) {
      open = { layers: [], bytes: 0 };
      buckets.push(open.layers);
    }
    open.layers.push(layer);
    for (const { layer: owner, count } of table) if (owner === layer) open.bytes += 4 * count;
  }
  return buckets;
}

/** The layers after `index` up to and with the next one that is observed; none when it is observed itself. */
function unobserved(layers: Network["layers"], index: number, observe: readonly string[]): Network["layers"] {
  const end = layers.findIndex((layer, i) => i >= index && observe.includes(layer.name));
  return end === -1 ? layers.slice(index + 1) : layers.slice(index + 1, end + 1);
}
