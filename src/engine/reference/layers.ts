import type { Layer } from "../../network/network.js";
import { averagePool } from "./average-pool.js";
import { convolution } from "./convolution.js";
import { dropout } from "./dropout.js";
import { fullyConnected } from "./fully-connected.js";
import type { Backward, Forward, LayerKind } from "./layer.js";
import { localResponseNorm } from "./local-response-norm.js";
import { maxPool } from "./max-pool.js";
import { relu } from "./relu.js";
import { tanh } from "./tanh.js";

type LayerOf<K extends Layer["kind"]> = Extract<Layer, { kind: K }>;

const kinds: { readonly [K in Layer["kind"]]: LayerKind<LayerOf<K>> } = {
  convolution,
  relu,
  tanh,
  "local-response-norm": localResponseNorm,
  "max-pool": maxPool,
  "average-pool": averagePool,
  "fully-connected": fullyConnected,
  dropout,
};

export function forward<K extends Layer["kind"]>(layer: LayerOf<K> & { kind: K }, values: Forward): void {
  kinds[layer.kind].forward(layer, values);
}

export function backward<K extends Layer["kind"]>(layer: LayerOf<K> & { kind: K }, values: Backward): void {
  kinds[layer.kind].backward(layer, values);
}
