import type { Layer } from "../../../network/network.js";
import type { Activation, Context, Stage } from "../layer.js";
import { averagePool } from "./average-pool.js";
import { convolution } from "./convolution.js";
import { dropout } from "./dropout.js";
import { fullyConnected } from "./fully-connected.js";
import { localResponseNorm } from "./local-response-norm.js";
import { maxPool } from "./max-pool.js";
import { relu } from "./relu.js";
import { tanh } from "./tanh.js";

/** Adds the forward operations of `layer`, and of the ReLU following that it takes along: `count` in all. */
export function addLayers(
  layer: Layer,
  x: Activation,
  context: Context,
): { readonly stage: Stage; readonly count: number } {
  const count = context.following[0]?.kind === "relu" ? 2 : 1;
  switch (layer.kind) {
    case "convolution":
      return { stage: convolution(layer, x, context), count };
    case "fully-connected":
      return { stage: fullyConnected(layer, x, context), count };
    case "dropout":
      return { stage: dropout(layer, x, context), count: 1 };
    case "local-response-norm":
      return { stage: localResponseNorm(layer, x, context), count: 1 };
    case "relu":
      return { stage: relu(layer, x, context), count: 1 };
    case "tanh":
      return { stage: tanh(layer, x, context), count: 1 };
    case "average-pool":
      return { stage: averagePool(layer, x, context), count: 1 };
    case "max-pool":
      return { stage: maxPool(layer, x, context), count: 1 };
  }
}
