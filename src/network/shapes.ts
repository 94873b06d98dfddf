import { AlexnetError } from "../errors.js";
import type { Layer, LocalResponseNorm, Network } from "./network.js";

/** Of one picture's activations: (channels, height, width). Vectors are (length, 1, 1). */
export interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Number of values in one picture's activations. */
export function volume(shape: Shape): number {
  return shape.channels * shape.height * shape.width;
}

export interface ShapedLayer {
  readonly layer: Layer;
  readonly input: Shape;
  readonly output: Shape;
}

/**
 * Every layer with the shapes around it, in order.
 * @throws AlexnetError "invalid-network", naming the layer and the rule, when a layer can't follow the one before it.
 */
export function inferShapes(network: Network): readonly ShapedLayer[] {
  const { channels, size } = network.input;
  if (channels !== 3)
    throw new AlexnetError("invalid-network", `${network.name}: input has ${channels} channels; it must be 3`);
  check(network.name, "input size", size);
  if (network.layers.length === 0) throw new AlexnetError("invalid-network", `${network.name}: has no layers`);
  if (network.layers.at(-1)?.kind !== "fully-connected")
    throw new AlexnetError(
      "invalid-network",
      `${network.name}: the last layer must be fully-connected; it gives the logits`,
    );
  const names = new Set<string>();
  let shape: Shape = { channels, height: size, width: size };
  return network.layers.map((layer) => {
    if (names.has(layer.name)) throw new AlexnetError("invalid-network", `${layer.name}: two layers have this name`);
    names.add(layer.name);
    const input = shape;
    shape = outputShape(layer, input);
    return { layer, input, output: shape };
  });
}

/** The shape `layer` makes of `input`. @throws AlexnetError "invalid-network" when it can't. */
export function outputShape(layer: Layer, input: Shape): Shape {
  const { name } = layer;
  switch (layer.kind) {
    case "convolution": {
      const { filters, size, stride, padding, groups } = layer;
      for (const [what, value] of Object.entries({ filters, size, stride, groups })) check(name, what, value);
      check(name, "padding", padding, 0);
      if (padding >= size) fail(name, `padding ${padding} must be smaller than the filter size ${size}`);
      if (input.channels % groups !== 0) fail(name, `${input.channels} channels are not divisible by groups=${groups}`);
      if (filters % groups !== 0) fail(name, `${filters} filters are not divisible by groups=${groups}`);
      return window(name, filters, input, size, stride, padding);
    }
    case "max-pool":
    case "average-pool":
      check(name, "size", layer.size);
      check(name, "stride", layer.stride);
      return window(name, input.channels, input, layer.size, layer.stride, 0);
    case "local-response-norm":
      check(name, "n", layer.n);
      if (layer.n % 2 === 0) fail(name, `n=${layer.n} must be odd: the window is centred on its map`);
      if (!(layer.k > 0)) fail(name, `k=${layer.k} must be above 0: it keeps the divisor from vanishing`);
      if (!(layer.alpha >= 0)) fail(name, `alpha=${layer.alpha} must be 0 or more`);
      if (!Number.isFinite(layer.beta)) fail(name, `beta=${layer.beta} must be a number`);
      checkRegion(layer, input);
      return input;
    case "dropout":
      if (!(layer.rate >= 0 && layer.rate < 1)) fail(name, `rate=${layer.rate} must be at least 0 and below 1`);
      return input;
    case "relu":
    case "tanh":
      return input;
    case "fully-connected":
      check(name, "outputs", layer.outputs);
      return { channels: layer.outputs, height: 1, width: 1 };
  }
}

function checkRegion({ name, region = "across-maps", groups = 1 }: LocalResponseNorm, input: Shape): void {
  if (region !== "across-maps" && region !== "within-map")
    fail(name, `region=${region} must be "across-maps" or "within-map"`);
  check(name, "groups", groups);
  if (input.channels % groups !== 0) fail(name, `${input.channels} channels are not divisible by groups=${groups}`);
  if (region === "within-map" && groups !== 1) fail(name, "windows within a map have no use for groups; leave it out");
}

function window(name: string, channels: number, input: Shape, size: number, stride: number, padding: number): Shape {
  const along = (length: number): number => Math.floor((length + 2 * padding - size) / stride) + 1;
  const height = along(input.height);
  const width = along(input.width);
  if (height < 1 || width < 1)
    fail(name, `a ${size}x${size} window with padding ${padding} does not fit into ${input.height}x${input.width}`);
  return { channels, height, width };
}

function check(name: string, what: string, value: number, least = 1): void {
  if (!Number.isSafeInteger(value) || value < least)
    fail(name, `${what}=${value} must be a whole number from ${least}`);
}

function fail(name: string, rule: string): never {
  throw new AlexnetError("invalid-network", `${name}: ${rule}`);
}
