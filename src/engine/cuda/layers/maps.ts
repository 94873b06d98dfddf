import type { Layer, LocalResponseNorm, MaxPool, Relu } from "../../../network/network.js";
import { outputShape, type Shape, volume } from "../../../network/shapes.js";
import type { OperationInfo } from "../../program/operations.js";
import type { Memory } from "../build.js";
import { float, vectorOf } from "../kernels/kernels.js";
import type { Activation, Context, Stage } from "../layer.js";

/** Layers that one pass over memory does together: at most one of each kind, in this order. */
export interface Chain {
  readonly relu?: Relu;
  readonly norm?: LocalResponseNorm;
  readonly pool?: MaxPool;
}

/** As many of the first layers as make a chain. */
export function chainOf(layers: readonly Layer[]): Chain {
  let rest = layers;
  const take = <L extends Layer>(fits: (layer: Layer) => layer is L): L | undefined => {
    const [first] = rest;
    if (first === undefined || !fits(first)) return undefined;
    rest = rest.slice(1);
    return first;
  };
  const relu = take((layer): layer is Relu => layer.kind === "relu");
  const norm = take((layer): layer is LocalResponseNorm => isAcrossMaps(layer));
  const pool = take((layer): layer is MaxPool => layer.kind === "max-pool");
  return { ...(relu && { relu }), ...(norm && { norm }), ...(pool && { pool }) };
}

function isAcrossMaps(layer: Layer): boolean {
  return layer.kind === "local-response-norm" && layer.region !== "within-map";
}

/** One kernel for the chain forward, one backward; nothing forward where a ReLU alone was already applied. */
export function maps(chain: Chain, x: Activation, context: Context): Stage {
  const { relu, norm, pool } = chain;
  const { build, batchSize, training } = context;
  const { shape } = x;
  const output = pool === undefined ? shape : outputShape(pool, shape);
  const definitions = definitionsOf(chain, shape, output);
  const title = norm ?? pool ?? relu;
  if (title === undefined) throw new Error("a chain has at least one layer");
  const name = [relu, norm, pool].flatMap((layer) => layer?.name ?? []).join("+");
  const info = { layer: name, kind: title.kind, direction: "forward" } as const satisfies OperationInfo;
  const nothing = x.rectified && norm === undefined && pool === undefined;

  const y = nothing ? x.tensor : build.tensor(batchSize * volume(output));
  /** Which value of each window was the largest; a byte or two each. */
  const places = pool && build.memory(batchSize * volume(output) * placeBytes(pool), { kept: false });
  const address = (tensor: Memory | undefined) => (tensor === undefined ? 0n : build.address(tensor));
  const each = (kernel: string, values: number, args: () => (bigint | number)[]) => () =>
    build.gpu.kernels.each("maps", kernel, definitions, values / definitions.VECTOR, args());

  if (!nothing)
    build.add(
      info,
      [x.tensor, y, ...(places ? [places] : [])],
      "maps.cu",
      each("forward", y.length, () => [build.address(x.tensor), build.address(y), address(places), batchSize]),
    );
  return {
    y: { tensor: y, shape: output, rectified: norm === undefined && (relu !== undefined || x.rectified) },
    backward(dy) {
      if (!training || !context.needsInputGradient) return undefined;
      const dx = build.tensor(x.tensor.length);
      build.add(
        { ...info, direction: "backward-data" },
        [x.tensor, dy, dx, ...(places ? [places] : [])],
        "maps.cu",
        each("backward", dx.length, () => [
          build.address(x.tensor),
          build.address(dy),
          address(places),
          build.address(dx),
          batchSize,
        ]),
      );
      return dx;
    },
  };
}

function definitionsOf({ relu, norm, pool }: Chain, input: Shape, output: Shape) {
  const group = input.channels / (norm?.groups ?? 1);
  return {
    ...{ HEIGHT: input.height, WIDTH: input.width, CHANNELS: input.channels },
    ...{ OUT_HEIGHT: output.height, OUT_WIDTH: output.width },
    ...{ GROUP: group, VECTOR: vectorOf(group) },
    RECTIFY: relu === undefined ? 0 : 1,
    ...{ POOL: pool === undefined ? 0 : 1, SIZE: pool?.size ?? 1, STRIDE: pool?.stride ?? 1 },
    NORM: norm === undefined ? 0 : 1,
    ...(norm && { RADIUS: norm.n >> 1, K: float(norm.k), ALPHA: float(norm.alpha), BETA: float(norm.beta) }),
  };
}

function placeBytes({ size }: MaxPool): number {
  return size * size <= 256 ? 1 : 2;
}
