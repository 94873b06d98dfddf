import type { FullyConnected } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import type { OperationInfo } from "../../program/operations.js";
import { partOf, type Range } from "../build.js";
import type { Tensor } from "../dispatch.js";
import type { Activation, Context, Stage } from "../layer.js";
import { addBiasGradient } from "./bias.js";
import { algorithmsFor, type Product, plainStructs } from "./product.js";
import { rectified } from "./relu.js";
import { weightedStage } from "./weighted-stage.js";

/**
 * y = x W^T + b, with the ReLU that follows. Weights are (outputs, inputs); where they are larger than the adapter binds at
 * once, as fc6's 144 MiB can be, each direction goes through them in parts of rows.
 */
export function fullyConnected(layer: FullyConnected, x: Activation, context: Context): Stage {
  const { build, batchSize, parameters, output } = context;
  const { name, kind, outputs } = layer;
  const inputs = volume(x.shape);
  const weights = parameters.place(`${name}.weight`);
  const bias = parameters.place(`${name}.bias`);
  const rectify = context.following[0]?.kind === "relu";
  const y = build.tensor(batchSize * outputs);
  const { software } = build.gpu.facts;
  const shape = `${inputs}x${outputs} of ${batchSize}`;
  const flops = 2 * batchSize * outputs * inputs;
  const info = (direction: OperationInfo["direction"]): OperationInfo => ({ layer: name, kind, direction, flops });
  const parts = build.parts(name, outputs, [inputs], 2 * batchSize * inputs);
  const rowsOf = (tensor: Tensor, part: Range) => partOf(tensor, part, inputs);

  const forward = (part: Range): Product => ({
    rows: part.count,
    columns: batchSize,
    inner: inputs,
    bindings: { weights: rowsOf(weights.value, part), bias: bias.value, x: x.tensor, y },
    code: `${plainStructs}
fn row(z: u32, m: u32) -> u32 { return m * ${inputs}u; }
fn column(z: u32, n: u32) -> u32 { return n * ${inputs}u; }
fn a(r: u32, d: u32) -> f32 { return weights[r + d]; }
fn b(c: u32, d: u32) -> f32 { return x[c + d]; }
fn store(z: u32, m: u32, n: u32, value: f32) {
  let sum = value + bias[${part.first}u + m];
  y[n * ${outputs}u + ${part.first}u + m] = ${rectify ? rectified("sum") : "sum"};
}`,
  });
  build.addQuickest(info("forward"), `product forward ${shape}`, algorithmsFor(parts.map(forward), software));

  const backwardWeights = (dy: Tensor): void => {
    const [dw, db] = [weights.gradient, bias.gradient];
    if (dw === undefined || db === undefined) return;
    addBiasGradient(build, info("backward-weights"), dy, db, { batchSize, channels: outputs, pixels: 1 });
    const products = parts.map(
      (part): Product => ({
        rows: part.count,
        columns: inputs,
        inner: batchSize,
        bindings: { dy, x: x.tensor, dw: rowsOf(dw, part) },
        code: `${plainStructs}
fn row(z: u32, m: u32) -> u32 { return ${part.first}u + m; }
fn column(z: u32, n: u32) -> u32 { return n; }
fn a(r: u32, d: u32) -> f32 { return dy[d * ${outputs}u + r]; }
fn b(c: u32, d: u32) -> f32 { return x[d * ${inputs}u + c]; }
fn store(z: u32, m: u32, n: u32, value: f32) { dw[m * ${inputs}u + n] = value; }`,
      }),
    );
    build.addQuickest(info("backward-weights"), `product backward-weights ${shape}`, algorithmsFor(products, software));
  };

  const backwardData = (dy: Tensor): Tensor => {
    const dx = build.tensor(batchSize * inputs);
    const products = parts.map(
      (part): Product => ({
        rows: batchSize,
        columns: inputs,
        inner: part.count,
        bindings: { dy, weights: rowsOf(weights.value, part), dx },
        code: `${plainStructs}
fn row(z: u32, m: u32) -> u32 { return m * ${outputs}u + ${part.first}u; }
fn column(z: u32, n: u32) -> u32 { return n; }
fn a(r: u32, d: u32) -> f32 { return dy[r + d]; }
fn b(c: u32, d: u32) -> f32 { return weights[d * ${inputs}u + c]; }
fn store(z: u32, m: u32, n: u32, value: f32) { dx[m * ${inputs}u + n] ${part.first === 0 ? "=" : "+="} value; }`,
      }),
    );
    build.addQuickest(info("backward-data"), `product backward-data ${shape}`, algorithmsFor(products, software));
    return dx;
  };

  return weightedStage(context, { name, y: { tensor: y, shape: output }, rectify, backwardWeights, backwardData });
}
