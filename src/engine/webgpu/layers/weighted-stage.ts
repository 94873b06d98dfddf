import type { Tensor } from "../dispatch.js";
import type { Activation, Context, Stage } from "../layer.js";
import { addRectifierGradient } from "./relu.js";

interface WeightedStage {
  readonly name: string;
  readonly y: Activation;
  /** Whether the ReLU that follows was applied too. */
  readonly rectify: boolean;
  backwardWeights(dy: Tensor): void;
  backwardData(dy: Tensor): Tensor;
}

/** The stage of a layer with weights: through its ReLU back to its weights, and to its input where that is needed. */
export function weightedStage(
  context: Context,
  { name, y, rectify, backwardWeights, backwardData }: WeightedStage,
): Stage {
  return {
    y,
    backward(dy) {
      if (rectify) addRectifierGradient(context, context.following[0].name, y.tensor, dy);
      if (context.parameters.learns(name)) backwardWeights(dy);
      return context.needsInputGradient ? backwardData(dy) : undefined;
    },
  };
}
