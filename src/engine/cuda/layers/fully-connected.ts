import type { FullyConnected } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import type { OperationInfo } from "../../program/operations.js";
import type { Tensor } from "../build.js";
import type { Activation, Context, Stage } from "../layer.js";
import { addColumnSums } from "./column-sum.js";
import { range } from "./layout.js";
import { multiply } from "./product.js";

/**
 * Weights are (outputs, height, width, channels), as the maps before lie. Bias and the ReLU that follows are part of
 * the forward product where the library can; the biases' gradient is part of the weights' where that is quicker.
 */
export function fullyConnected(layer: FullyConnected, x: Activation, context: Context): Stage {
  const { build, batchSize, parameters, last } = context;
  const { name, kind, outputs } = layer;
  const inputs = volume(x.shape);
  const { channels, height, width } = x.shape;
  const weights = parameters.place(`${name}.weight`, {
    places: [range(outputs, inputs), range(channels, 1), range(height, width * channels), range(width, channels)],
    length: outputs * inputs,
  });
  const bias = parameters.place(`${name}.bias`, { places: [range(outputs, 1)], length: outputs });
  const rectify = context.following[0]?.kind === "relu";
  const y = build.tensor(batchSize * outputs, { format: last ? "float32" : build.format });
  const flops = 2 * batchSize * outputs * inputs;
  const forward = { layer: name, kind, direction: "forward", flops } as const;
  const biasValues = last ? bias.value : bias.operand;

  build.add(forward, [x.tensor, weights.operand, biasValues, y], "cublaslt", () =>
    multiply(build, {
      ...{ rows: batchSize, columns: outputs, depth: inputs },
      a: build.matrix(x.tensor, inputs),
      b: build.matrix(weights.operand, inputs, { transposed: true }),
      d: build.matrix(y, outputs),
      bias: { address: build.address(biasValues), rectify },
    }),
  );

  const backwardWeights = (dy: Tensor): void => {
    const [dw, db] = [weights, bias].map(({ gradient }) => gradient);
    if (dw === undefined || db === undefined) return;
    const info = { layer: name, kind, direction: "backward-weights", flops } as const satisfies OperationInfo;
    const product = () => ({
      ...{ rows: outputs, columns: inputs, depth: batchSize },
      a: build.matrix(dy, outputs, { transposed: true }),
      b: build.matrix(x.tensor, inputs),
      d: build.matrix(dw, inputs),
    });
    const sums = addColumnSums(build, dy, outputs, db);
    const shape = `${kind} ${batchSize}x${inputs}x${outputs}`;
    build.addQuickest(
      info,
      shape,
      [x.tensor, dy, dw, db, ...sums.tensors],
      [
        { implementation: "cublaslt", prepare: () => multiply(build, { ...product(), rowSums: build.address(db) }) },
        {
          implementation: "cublaslt+column-sum.cu",
          prepare: () => {
            const [run, sum] = [multiply(build, product()), sums.prepare()];
            return () => {
              run();
              sum();
            };
          },
        },
      ],
    );
  };

  const backwardData = (dy: Tensor): Tensor => {
    const dx = build.tensor(batchSize * inputs);
    build.add({ layer: name, kind, direction: "backward-data", flops }, [dy, weights.operand, dx], "cublaslt", () =>
      multiply(build, {
        ...{ rows: batchSize, columns: inputs, depth: outputs },
        a: build.matrix(dy, outputs),
        b: build.matrix(weights.operand, inputs),
        d: build.matrix(dx, inputs),
      }),
    );
    return dx;
  };

  return {
    y: { tensor: y, shape: { channels: outputs, height: 1, width: 1 }, rectified: rectify },
    backward(dy) {
      if (parameters.learns(name)) backwardWeights(dy);
      return context.needsInputGradient ? backwardData(dy) : undefined;
    },
  };
}
