import type { Layer } from "../../../network/network.js";
import type { Activation, Context, Stage } from "../layer.js";
import { averagePool } from "./average-pool.js";
import { convolution } from "./convolution.js";
import { dropout } from "./dropout.js";
import { fullyConnected } from "./fully-connected.js";
import { type Chain, chainOf, maps } from "./maps.js";
import { normWithin } from "./norm-within.js";
import { tanh } from "./tanh.js";

/** Adds the forward operations of `layer`, and of those following that it takes along: `count` in all. */
export function addLayers(
  layer: Layer,
  x: Activation,
  context: Context,
): { readonly stage: Stage; readonly count: number } {
  switch (layer.kind) {
    case "convolution":
      return { stage: convolution(layer, x, context), count: 1 };
    case "fully-connected":
      return { stage: fullyConnected(layer, x, context), count: 1 };
    case "dropout":
      return { stage: dropout(layer, x, context), count: 1 };
    case "tanh":
      return { stage: tanh(layer, x, context), count: 1 };
    case "average-pool":
      return { stage: averagePool(layer, x, context), count: 1 };
    case "local-response-norm":
      if (layer.region === "within-map") return { stage: normWithin(layer, x, context), count: 1 };
      return addChain(chainOf([layer, ...context.following]), x, context);
    case "relu":
    case "max-pool":
      return addChain(chainOf([layer, ...context.following]), x, context);
  }
}

function addChain(chain: Chain, x: Activation, context: Context) {
  return { stage: maps(chain, x, context), count: Object.keys(chain).length };
}
