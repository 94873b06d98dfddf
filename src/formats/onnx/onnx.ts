import { closeSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, resolve, sep } from "node:path";
import { AlexnetError } from "../../errors.js";
import { encodeDescription } from "../../model/description.js";
import { colourOf, type Model, type StoredTensor } from "../../model/model.js";
import type { LocalResponseNorm } from "../../network/network.js";
import { parameterTable, parameterView } from "../../network/parameters.js";
import { pictureSizeOf } from "../../network/picture.js";
import { inferShapes, type ShapedLayer } from "../../network/shapes.js";
import { openToRead, readAt } from "../../system/file-reading.js";
import { encodeHalves } from "../../system/half.js";
import { bytesOf, decodeNumbers, type NumberType, numberTypes } from "../../system/numbers.js";
import { packageVersion } from "../../version.js";
import type { StateDict } from "../pytorch/state-dict.js";
import { checkGraph } from "./check-graph.js";
import {
  elementTypes,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  onnxCodec,
  type ReadTensor,
} from "./schema.js";

export interface OnnxOptions {
  /**
   * The graph takes (batch, side, side, 3) pictures, the mean image's size, uint8, red, green, blue, crops their centre, subtracts the mean,
   * scales, and gives probabilities. Without, it takes what that makes, (batch, 3, size, size), and gives logits.
   */
  readonly withPreprocessing?: boolean;
  /**
   * Parameters and most of the arithmetic in half precision: half the size. Inputs, outputs and response
   * normalisation, whose squares halves can't hold, stay float32.
   */
  readonly float16?: boolean;
}

const OPSET = 17;
const IR_VERSION = 8; // the one that came with opset 17
const DESCRIPTION = "alexnet"; // the key of a model's description in the metadata

type Real = "float" | "float16";

/** A graph while it is written: nodes in order, each reading what an earlier one made. */
class Graph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #names = new Set<string>();

  constructor(input: string) {
    this.#claim(input);
  }

  /** @returns the name of what the node makes: `output`, or its own. */
  add(
    operator: string,
    name: string,
    inputs: readonly string[],
    attributes: readonly OnnxAttribute[] = [],
    outputs: readonly string[] = [name],
  ): string {
    outputs.forEach((output) => {
      this.#claim(output);
    });
    this.nodes.push({ name, op_type: operator, input: inputs, output: outputs, attribute: attributes });
    return outputs[0] ?? name;
  }

  cast(value: string, to: Real, name: string): string {
    return this.add("Cast", name, [value], [integer("to", elementTypes[to])]);
  }

  reals(name: string, dims: readonly number[], values: Float32Array, type: Real): string {
    const raw_data = bytesOf(type === "float" ? values : encodeHalves(values));
    return this.#initialize({ name, dims, data_type: elementTypes[type], raw_data });
  }

  integers(name: string, values: readonly number[]): string {
    const raw_data = bytesOf(BigInt64Array.from(values, BigInt));
    return this.#initialize({ name, dims: [values.length], data_type: elementTypes.int64, raw_data });
  }

  #initialize(tensor: OnnxTensor): string {
    this.#claim(tensor.name);
    this.initializers.push(tensor);
    return tensor.name;
  }

  #claim(name: string): void {
    if (this.#names.has(name))
      throw new AlexnetError(
        "invalid-network",
        `${name}: the ONNX graph has a value of this name already; rename the layer`,
      );
    this.#names.add(name);
  }
}

/**
 * The bytes of an ONNX file (opset 17) of any batch size. Its metadata holds class names, the preprocessing and the
 * network, so that it can be imported again.
 */
export function encodeOnnx(model: Model, options: OnnxOptions = {}): Uint8Array {
  const { withPreprocessing = false, float16 = false } = options;
  const { network, classes } = model;
  const { size } = network.input;
  const precision: Real = float16 ? "float16" : "float";
  const input = withPreprocessing ? "pictures" : "input";
  const output = withPreprocessing ? "probabilities" : "logits";
  const graph = new Graph(input);
  for (const parameter of parameterTable(network))
    graph.reals(parameter.name, parameter.shape, parameterView(model.parameters, parameter), precision);

  let value = withPreprocessing ? addPreprocessing(graph, model, input) : input;
  if (float16) value = graph.cast(value, "float16", "input:half");
  let rank: 2 | 4 = 4;
  for (const shaped of inferShapes(network)) {
    value = addLayer(graph, shaped, value, rank, precision);
    if (shaped.layer.kind === "fully-connected") rank = 2;
  }
  if (float16) value = graph.cast(value, "float", "output:float");
  if (withPreprocessing) graph.add("Softmax", "softmax", [value], [integer("axis", 1)], [output]);
  else graph.add("Identity", "logits", [value]);

  const pictureSize = pictureSizeOf(model.preprocessing);
  const inputDims = withPreprocessing ? [pictureSize, pictureSize, 3] : [3, size, size];
  return onnxCodec.encode({
    ir_version: IR_VERSION,
    producer_name: "alexnet",
    producer_version: packageVersion(),
    opset_import: [{ domain: "", version: OPSET }],
    graph: {
      name: network.name,
      node: graph.nodes,
      initializer: graph.initializers,
      input: [tensorInfo(input, withPreprocessing ? elementTypes.uint8 : elementTypes.float, inputDims)],
      output: [tensorInfo(output, elementTypes.float, [classes.length])],
    },
    metadata_props: [
      { key: "classes", value: JSON.stringify(classes) },
      { key: "preprocessing", value: JSON.stringify(describePreprocessing(model)) },
      { key: DESCRIPTION, value: encodeDescription(model) },
    ],
  });
}

/** (batch, side, side, 3) uint8 to (batch, 3, size, size): (pixel - mean) * scale of the centre. */
function addPreprocessing(graph: Graph, { network, preprocessing }: Model, pictures: string): string {
  const { size } = network.input;
  const side = pictureSizeOf(preprocessing);
  const start = Math.floor((side - size) / 2);
  const edges = [
    graph.integers("crop:starts", [start, start]),
    graph.integers("crop:ends", [start + size, start + size]),
    graph.integers("crop:axes", [1, 2]),
  ];
  const crop = graph.add("Slice", "input:crop", [pictures, ...edges]);
  const pixels = graph.cast(crop, "float", "input:pixels");
  const mean = graph.reals("input:mean", [size, size, 3], cropOf(preprocessing.mean, side, start, size), "float");
  const centred = graph.add("Sub", "input:centred", [pixels, mean]);
  const scale = graph.reals("input:scale", [3], Float32Array.from(preprocessing.scale), "float");
  const scaled = graph.add("Mul", "input:scaled", [centred, scale]);
  return graph.add("Transpose", "input:channels-first", [scaled], [integers("perm", [0, 3, 1, 2])]);
}

function cropOf(mean: Float32Array, side: number, start: number, size: number): Float32Array {
  const crop = new Float32Array(size * size * 3);
  for (let row = 0; row < size; row++) {
    const at = ((start + row) * side + start) * 3;
    crop.set(mean.subarray(at, at + size * 3), row * size * 3);
  }
  return crop;
}

/** Adds one layer that reads `value`; returns what it makes. `rank` is that of `value`. */
function addLayer(graph: Graph, { layer, input }: ShapedLayer, value: string, rank: 2 | 4, precision: Real): string {
  const { name } = layer;
  switch (layer.kind) {
    case "convolution": {
      const { size, stride, padding, groups } = layer;
      return graph.add(
        "Conv",
        name,
        [value, `${name}.weight`, `${name}.bias`],
        [
          integers("kernel_shape", [size, size]),
          integers("strides", [stride, stride]),
          integers("pads", [padding, padding, padding, padding]), // top, left, bottom, right
          integer("group", groups),
        ],
      );
    }
    case "relu":
      return graph.add("Relu", name, [value]);
    case "tanh":
      return graph.add("Tanh", name, [value]);
    case "max-pool":
    case "average-pool":
      return graph.add(
        layer.kind === "max-pool" ? "MaxPool" : "AveragePool",
        name,
        [value],
        [integers("kernel_shape", [layer.size, layer.size]), integers("strides", [layer.stride, layer.stride])],
      );
    case "fully-connected": {
      const row = rank === 2 ? value : graph.add("Flatten", `${name}:input`, [value], [integer("axis", 1)]);
      return graph.add("Gemm", name, [row, `${name}.weight`, `${name}.bias`], [integer("transB", 1)]);
    }
    case "dropout":
      return value; // only training zeroes
    case "local-response-norm": {
      const norm = layer.region === "within-map" ? addNormWithin : addNormAcross;
      if (precision === "float") return norm(graph, layer, input.channels, value);
      const normed = norm(graph, layer, input.channels, graph.cast(value, "float", `${name}:input`));
      return graph.cast(normed, "float16", `${name}:output`);
    }
  }
}

/** ONNX divides alpha by the window's size, as this project does not. */
function addNormAcross(graph: Graph, layer: LocalResponseNorm, maps: number, value: string): string {
  const { name, k, n, alpha, beta, groups = 1 } = layer;
  const attributes = [real("alpha", alpha * n), real("beta", beta), real("bias", k), integer("size", n)];
  if (groups === 1) return graph.add("LRN", name, [value], attributes);
  const sizes = graph.integers(`${name}:sizes`, Array<number>(groups).fill(maps / groups));
  const parts = Array.from({ length: groups }, (_, i) => `${name}:part${i + 1}`);
  graph.add("Split", `${name}:parts`, [value, sizes], [integer("axis", 1)], parts);
  const normed = parts.map((part) => graph.add("LRN", `${part}:normed`, [part], attributes));
  return graph.add("Concat", name, normed, [integer("axis", 1)]);
}

/** ONNX has no such layer: an average of squares, padded by zeros that count, times the window's size is their sum. */
function addNormWithin(graph: Graph, layer: LocalResponseNorm, _maps: number, value: string): string {
  const { name, k, n, alpha, beta } = layer;
  const constant = (what: string, x: number) => graph.reals(`${name}:${what}`, [], Float32Array.of(x), "float");
  const squares = graph.add("Mul", `${name}:squares`, [value, value]);
  const means = graph.add(
    "AveragePool",
    `${name}:means`,
    [squares],
    [
      integers("kernel_shape", [n, n]),
      integers("pads", Array<number>(4).fill((n - 1) / 2)),
      integer("count_include_pad", 1),
    ],
  );
  const weighted = graph.add("Mul", `${name}:weighted`, [means, constant("alpha", alpha * n * n)]);
  const sums = graph.add("Add", `${name}:sums`, [weighted, constant("k", k)]);
  const divisors = graph.add("Pow", `${name}:divisors`, [sums, constant("beta", beta)]);
  return graph.add("Div", name, [value, divisors]);
}

const real = (name: string, f: number): OnnxAttribute => ({ name, type: 1, f });
const integer = (name: string, i: number): OnnxAttribute => ({ name, type: 2, i });
const integers = (name: string, ints: readonly number[]): OnnxAttribute => ({ name, type: 7, ints });

/** A float or uint8 value of any batch size. */
function tensorInfo(name: string, type: number, dims: readonly number[]): object {
  const dim = [{ dim_param: "batch" }, ...dims.map((dim_value) => ({ dim_value }))];
  return { name, type: { tensor_type: { elem_type: type, shape: { dim } } } };
}

/** How to make the input out of a picture, for programs that know nothing of this project. */
function describePreprocessing({ network, preprocessing: { mean, scale } }: Model): object {
  const side = pictureSizeOf({ mean });
  return {
    picture: `shorter side resized to ${side}, centre ${side}x${side}, red green blue, 0 to 255`,
    subtract:
      colourOf(mean) ?? `the (${side}, ${side}, 3) float32 values in base64 at "mean" of the entry "${DESCRIPTION}"`,
    multiply: scale,
    crop: network.input.size,
    layout: "(batch, channels, rows, columns)",
  };
}

/**
 * The initializers of an ONNX file, by name. Values in another file are read where that lies beside it.
 * @throws AlexnetError "damaged-file" naming the file and what is wrong with it.
 */
export function openOnnx(path: string): StateDict {
  const { graph, metadata_props: metadata } = onnxCodec.decode(readFileSync(path), path);
  const tensors = new Map<string, StoredTensor>();
  for (const tensor of graph?.initializer ?? [])
    tensors.set(tensor.name, { shape: tensor.dims, readInto: (into) => readTensor(tensor, into, path) });
  return {
    tensors,
    unread: new Map(),
    description: metadata.find(({ key }) => key === DESCRIPTION)?.value,
    ...(graph !== null && { checkProgram: (network, nameOf) => checkGraph(graph, network, nameOf, path) }),
    close: () => {},
  };
}

function readTensor(tensor: ReadTensor, into: Float32Array, path: string): void {
  const { name, data_type, raw_data, float_data, data_location } = tensor;
  const type = numberTypeOf[data_type];
  if (type === undefined)
    throw new AlexnetError("unsupported", `${path}: ${name}: numbers of type ${data_type} are not read`);
  const inside = float_data.length > 0 ? Buffer.concat(float_data) : raw_data;
  const bytes = data_location === 0 ? inside : readExternal(tensor, into.length * numberTypes[type].bytes, path);
  const expected = into.length * numberTypes[type].bytes;
  if (bytes.length !== expected)
    throw new AlexnetError("damaged-file", `${path}: ${name}: holds ${bytes.length} bytes, not ${expected}`);
  decodeNumbers(bytes, type, into);
}

/** A file names the one with its values; it must lie in the same folder or below, whatever the name says. */
function readExternal({ name, external_data: entries }: ReadTensor, length: number, path: string): Uint8Array {
  const fields = new Map(entries.map(({ key, value }) => [key, value]));
  const location = fields.get("location") ?? "";
  const folder = resolve(dirname(path));
  const file = resolve(folder, location);
  if (location === "" || isAbsolute(location) || !file.startsWith(folder + sep))
    throw new AlexnetError(
      "damaged-file",
      `${path}: ${name}: its values are in ${location}, outside of the model's folder`,
    );
  const offset = Number(fields.get("offset") ?? 0);
  const stated = Number(fields.get("length") ?? length);
  if (!Number.isSafeInteger(offset) || offset < 0 || stated !== length)
    throw new AlexnetError(
      "damaged-file",
      `${path}: ${name}: ${stated} bytes at ${offset} of ${location}, not ${length}`,
    );
  const into = new Uint8Array(length);
  let handle: number;
  try {
    handle = openToRead(file);
  } catch (cause) {
    throw new AlexnetError(
      "not-found",
      `${file}: can't be read, and has the values of ${path}; put it beside the model`,
      { cause },
    );
  }
  try {
    if (readAt(handle, into, offset) < length)
      throw new AlexnetError("damaged-file", `${file}: ended before ${name} did`);
  } finally {
    closeSync(handle);
  }
  return into;
}

const numberTypeOf: Readonly<Record<number, NumberType>> = {
  [elementTypes.float]: "float32",
  [elementTypes.float16]: "float16",
  [elementTypes.double]: "float64",
  [elementTypes.bfloat16]: "bfloat16",
};
