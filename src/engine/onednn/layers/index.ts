import type { Layer } from "../../../network/network.js";
import { convolution } from "../convolution/index.js";
import type { Activation, Context, LayerKind, Stage } from "../layer.js";
import { dropout } from "./dropout.js";
import { fullyConnected } from "./fully-connected.js";
import { localResponseNorm } from "./local-response-norm.js";
import { pool } from "./pool.js";
import { relu } from "./relu.js";
import { tanh } from "./tanh.js";

const kinds = {
  convolution,
  relu,
  tanh,
  dropout,
  "local-response-norm": localResponseNorm,
  "max-pool": pool,
  "average-pool": pool,
  "fully-connected": fullyConnected,
} satisfies { [K in Layer["kind"]]: LayerKind<Extract<Layer, { kind: K }>> };

/** Adds `layer`'s forward operations. */
export function addLayer<L extends Layer>(layer: L, x: Activation, context: Context): Stage {
  const add = kinds[layer.kind] as LayerKind<L>; // the table pairs each kind with its own layer type
  return add(layer, x, context);
}
