import type { Layer } from "../../network/network.js";
import type { LayerInputs, LayerOutputs } from "../engine.js";
import { aloneAt, layerOutputs, parametersOf, parameterValues } from "../program/one-layer.js";
import { Algorithms, describeMachine, usualSources } from "./algorithms.js";
import type { Arithmetic } from "./arithmetic.js";
import { Build } from "./build.js";
import { type Activation, type Current, readRows } from "./layer.js";
import { addLayer } from "./layers/index.js";
import type { Library } from "./native/library.js";
import { copy, Parameters } from "./parameters.js";
import { noBatch } from "./program.js";

/** Runs one layer forward and backward as a program of its own. */
export function differentiate(
  library: Library,
  arithmetic: Arithmetic,
  layer: Layer,
  inputs: LayerInputs,
): LayerOutputs {
  const { x, dy } = inputs;
  const batchSize = x.shape[0];
  const build = new Build(library, arithmetic);
  try {
    const parameters = new Parameters(build, parametersOf(layer, inputs), { training: true });
    const algorithms = new Algorithms(describeMachine(library), usualSources({ measures: false }));
    const current: Current = { batch: noBatch, seed: 0, purpose: "learning", divisor: batchSize, firstSample: 0 };
    const keptTensor = (dims: readonly number[]) => build.tensor(build.descriptor(dims, "row-major"), { kept: true });
    const source: Activation = { tensor: keptTensor(x.shape), dims: x.shape, rectified: false };
    const context = { ...aloneAt(layer, inputs), build, parameters, algorithms, batchSize, training: true, current };
    const stage = addLayer(layer, source, context);
    stage.y.tensor.block.kept = true;
    const upstream = keptTensor(dy.shape);
    const dx = stage.backward(upstream);
    if (dx === undefined) throw new Error(`${layer.name}: gave no input gradient`);
    dx.block.kept = true;
    const operations = build.finish();
    copy(build, source.tensor, x.shape, Float32Array.from(x.data), "write");
    copy(build, upstream, dy.shape, Float32Array.from(dy.data), "write");
    parameters.write("parameters", parameterValues(inputs));
    for (const operation of operations) operation.run();
    const y = readRows(build, { ...stage.y, dims: dy.shape });
    return layerOutputs(inputs, y, readRows(build, { ...source, tensor: dx }), parameters.read("gradients"));
  } finally {
    build.close();
  }
}
