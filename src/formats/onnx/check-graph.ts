import { AlexnetError } from "../../errors.js";
import type { Layer, Network } from "../../network/network.js";
import type { OnnxAttribute, OnnxGraph, OnnxNode } from "./schema.js";

/**
 * Whether a graph computes what a network does. Parameters alone don't tell: with another activation, padding or norm
 * the same weights give other answers.
 * @param nameOf the graph's name of a layer's weights
 * @throws AlexnetError "unsupported" naming the first node that differs from its layer, and how
 */
export function checkGraph(graph: OnnxGraph, network: Network, nameOf: (layer: string) => string, path: string): void {
  const nodes = mainPath(graph, path).filter((node) => !changesNothing(node));
  const layers = network.layers.filter(({ kind }) => kind !== "dropout"); // only training zeroes
  for (const [i, layer] of layers.entries()) {
    const node = nodes[i];
    const difference = node === undefined ? "the graph ends before it" : compare(node, layer, nameOf(layer.name));
    if (difference !== undefined)
      throw new AlexnetError(
        "unsupported",
        `${path}: computes something else than ${network.name}: ${layer.name}: ${difference}`,
        {
          hint: { advice: "give a JSON file of the layers that it has", option: "network" },
        },
      );
  }
  const more = nodes.slice(layers.length).find(({ op_type }) => op_type !== "Softmax" && op_type !== "LogSoftmax");
  if (more !== undefined)
    throw new AlexnetError("unsupported", `${path}: goes on with ${describe(more)} after ${network.name}'s last layer`);
}

/** The nodes that the input goes through one after the other; what only works on parameters and shapes is none of them. */
function mainPath({ node: nodes, initializer, input }: OnnxGraph, path: string): readonly OnnxNode[] {
  const constants = new Set(initializer.map(({ name }) => name));
  const inputs = input.filter(({ name }) => !constants.has(name));
  const fed = new Set(inputs.map(({ name }) => name));
  const onPath: OnnxNode[] = [];
  for (const node of nodes) {
    if (SHAPES.has(node.op_type)) continue;
    const from = node.input.filter((name) => fed.has(name));
    if (from.length === 0) continue;
    if (from.length > 1)
      throw new AlexnetError("unsupported", `${path}: ${describe(node)} joins two branches; this network has none`);
    const [value = ""] = from;
    const used = onPath.find((earlier) => earlier.input.includes(value) && !constants.has(value));
    if (used !== undefined)
      throw new AlexnetError(
        "unsupported",
        `${path}: ${describe(used)} and ${describe(node)} go on from the same value; this network has no branches`,
      );
    onPath.push(node);
    for (const name of node.output) fed.add(name);
  }
  return onPath;
}

/** What a Reshape between the convolutions and the fully connected layers is computed from. */
const SHAPES = new Set(["Shape", "Constant"]);

function changesNothing(node: OnnxNode): boolean {
  const { op_type: operator } = node;
  if (operator === "AveragePool")
    // how adaptive pooling to the size that is there is written
    return isAll(integersOf(node, "kernel_shape"), 1) && isAll(integersOf(node, "strides"), 1);
  return ["Identity", "Cast", "Dropout", "Flatten", "Reshape"].includes(operator);
}

/** How a node differs from a layer; undefined where it computes the same. */
function compare(node: OnnxNode, layer: Layer, weights: string): string | undefined {
  const operator = operatorOf[layer.kind];
  if (node.op_type !== operator) return `there is ${describe(node)} in place of ${operator}`;
  const wanted = expected(layer);
  for (const [name, { value, usual }] of Object.entries(wanted)) {
    const found = attributeOf(node, name) ?? usual;
    if (!isSame(found, value)) return `${name} is ${String(found)}, not ${String(value)}`;
  }
  if ((layer.kind === "convolution" || layer.kind === "fully-connected") && node.input[1] !== weights)
    return `its weights are ${node.input[1]}, not ${weights}`;
  return undefined;
}

const operatorOf = {
  convolution: "Conv",
  relu: "Relu",
  tanh: "Tanh",
  "local-response-norm": "LRN",
  "max-pool": "MaxPool",
  "average-pool": "AveragePool",
  "fully-connected": "Gemm",
  dropout: "Dropout",
} as const satisfies Record<Layer["kind"], string>;

type Value = number | string | readonly number[];

interface Expected {
  readonly value: Value;
  /** What it is where a node leaves it out (onnx.ai/onnx/operators). */
  readonly usual: Value;
}

function expected(layer: Layer): Readonly<Record<string, Expected>> {
  const same = (value: Value, usual: Value = value): Expected => ({ value, usual });
  switch (layer.kind) {
    case "convolution": {
      const { size, stride, padding, groups } = layer;
      return {
        kernel_shape: same([size, size]), // of the weights, where left out
        strides: same([stride, stride], [1, 1]),
        pads: same([padding, padding, padding, padding], [0, 0, 0, 0]),
        group: same(groups, 1),
        dilations: same([1, 1]),
        auto_pad: same("NOTSET"),
      };
    }
    case "max-pool":
    case "average-pool":
      return {
        kernel_shape: same([layer.size, layer.size], []),
        strides: same([layer.stride, layer.stride], [1, 1]),
        pads: same([0, 0, 0, 0]),
        dilations: same([1, 1]),
        ceil_mode: same(0),
        auto_pad: same("NOTSET"),
      };
    case "local-response-norm":
      return {
        size: same(layer.n, 0),
        alpha: same(layer.alpha * layer.n, 1e-4), // ONNX divides it by the window's size
        beta: same(layer.beta, 0.75),
        bias: same(layer.k, 1),
      };
    case "fully-connected":
      return { transB: same(1, 0), transA: same(0), alpha: same(1), beta: same(1) };
    case "relu":
    case "tanh":
    case "dropout":
      return {};
  }
}

function attributeOf(node: OnnxNode, name: string): Value | undefined {
  const attribute = node.attribute.find((candidate) => candidate.name === name);
  return attribute === undefined ? undefined : contentOf(attribute);
}

/** By the numbers of ONNX's attribute types. */
function contentOf({ type, f = 0, i = 0, s, ints = [] }: OnnxAttribute): Value {
  if (type === 1) return f;
  if (type === 3) return Buffer.from(s ?? []).toString();
  return type === 7 ? ints : i;
}

function integersOf(node: OnnxNode, name: string): readonly number[] {
  const value = attributeOf(node, name);
  return Array.isArray(value) ? value : [];
}

const isAll = (values: readonly number[], wanted: number): boolean => values.every((value) => value === wanted);

/** Attributes are float32. */
function isSame(found: Value, wanted: Value): boolean {
  if (typeof found === "number" && typeof wanted === "number") return Math.fround(found) === Math.fround(wanted);
  if (typeof found === "string" || typeof wanted === "string") return found === wanted;
  return (
    typeof found === "object" &&
    typeof wanted === "object" &&
    found.length === wanted.length &&
    found.every((value, i) => value === wanted[i])
  );
}

function describe({ op_type: operator, name }: OnnxNode): string {
  return name === "" ? operator : `${operator} (${name})`;
}
