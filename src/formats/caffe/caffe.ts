import { readFileSync } from "node:fs";
import { AlexnetError, type ErrorCode } from "../../errors.js";
import { constantMean, fitWidths, gatherParameters, type StoredTensor } from "../../model/model.js";
import { caffe } from "../../network/architectures/caffe.js";
import { caffenet } from "../../network/architectures/caffenet.js";
import type { Layer, Network } from "../../network/network.js";
import { parseNetwork } from "../../network/parse.js";
import { type Preprocessing, pictureBytes, pictureSizeFor } from "../../network/picture.js";
import { inferShapes } from "../../network/shapes.js";
import { decodeNumbers } from "../../system/numbers.js";
import { type Blob, blobCodec, type Layer as CaffeLayer, type Net, netCodec } from "./schema.js";
import { unknownFields } from "./unknown-fields.js";

/** What a caffemodel says: its class names, and mostly its mean as well, are in files of their own. */
export interface CaffeModel {
  readonly network: Network;
  readonly parameters: Float32Array;
  readonly scale: Preprocessing["scale"];
  /** Where the file's data layer has one. */
  readonly mean: Float32Array | undefined;
}

const INPUT_SIZE = 227; // of Caffe's networks; their files for deployment say it, others may not

/** Types by the numbers of old files, as far as this project has use for them. */
const typesOf2013: Readonly<Record<number, string>> = {
  1: "Accuracy",
  4: "Convolution",
  5: "Data",
  6: "Dropout",
  8: "Flatten",
  12: "ImageData",
  14: "InnerProduct",
  15: "LRN",
  17: "Pooling",
  18: "ReLU",
  20: "Softmax",
  21: "SoftmaxWithLoss",
  22: "Split",
  23: "TanH",
  24: "WindowData",
  29: "MemoryData",
};

/** Layers that bring data, measure, or change no value on the way to the logits. */
const ignoredTypes = [
  "Accuracy",
  "Data",
  "DummyData",
  "Flatten",
  "HDF5Data",
  "ImageData",
  "Input",
  "MemoryData",
].concat(["Softmax", "SoftmaxWithLoss", "Split", "WindowData"]);

/**
 * Reads the layers a caffemodel describes and their parameters. Caffe's pictures are blue, green, red: the first
 * layer's weights are reordered for red, green, blue.
 * @throws AlexnetError "damaged-file" or "unsupported" naming the file and what can't be read, "invalid-network" when
 * the layers don't fit.
 */
export function readCaffemodel(path: string): CaffeModel {
  const bytes = readFileSync(path);
  const net = netCodec.decode(bytes, path);
  const all = net.layer.length > 0 ? net.layer : net.layers;
  refuseUnknown(bytes, all, path);
  const used = all.filter((layer) => !ignoredTypes.includes(typeOf(layer)));
  if (used.length === 0) throw new AlexnetError("damaged-file", `${path}: not a caffemodel: it has no layers`);
  const tensors = new Map<string, StoredTensor>();
  const layers = used.map((layer) => {
    const converted = convert(layer, path);
    for (const [name, tensor] of storedTensors(layer, converted, path)) tensors.set(name, tensor);
    return converted;
  });
  const network = named(
    parseNetwork(
      { name: sanitisedName(net.name || "caffemodel"), input: { channels: 3, size: inputSize(net, all) }, layers },
      path,
    ),
  );
  refuseRoundedUp(network, used, path);
  const first = layers.find((layer) => layer.kind === "convolution");
  const weight = first && tensors.get(`${first.name}.weight`);
  if (first !== undefined && weight !== undefined) tensors.set(`${first.name}.weight`, bgrToRgb(weight));
  const parameters = gatherParameters(network, tensors, ({ name }) => name, path);
  return { network, parameters, ...transformOf(all, network.input.size) };
}

/** @throws AlexnetError "unsupported" where a layer on the way to the logits has a field that is not read */
function refuseUnknown(bytes: Uint8Array, layers: readonly CaffeLayer[], path: string): void {
  for (const [i, fields] of unknownFields(bytes).entries()) {
    const layer = layers[i];
    if (layer !== undefined && fields.length > 0 && !ignoredTypes.includes(typeOf(layer)))
      throw new AlexnetError(
        "unsupported",
        `${path}: ${layer.name}: has what is not read here: field ${fields.join(", ")} of its LayerParameter`,
      );
  }
}

/**
 * Caffe rounds the size of a pool's output up where windows would reach over the edge, which here are left out.
 * @throws AlexnetError "unsupported" naming a pool where that makes a difference
 */
function refuseRoundedUp(network: Network, layers: readonly CaffeLayer[], path: string): void {
  const roundsDown = new Set(
    layers.filter(({ pooling_param: pool }) => pool?.round_mode === 1).map(({ name }) => sanitisedName(name)),
  );
  for (const { layer, input } of inferShapes(network)) {
    if ((layer.kind !== "max-pool" && layer.kind !== "average-pool") || roundsDown.has(layer.name)) continue;
    if ((input.height - layer.size) % layer.stride !== 0)
      throw new AlexnetError(
        "unsupported",
        `${path}: ${layer.name}: windows of ${layer.size} in steps of ${layer.stride} don't end at the edge of ` +
          `${input.height} places; Caffe adds a smaller window there, which has no counterpart here`,
      );
  }
}

function typeOf({ type }: CaffeLayer): string {
  return typeof type === "string" ? type : (typesOf2013[type] ?? `number ${type}`);
}

function convert(layer: CaffeLayer, path: string): Layer {
  const name = sanitisedName(layer.name);
  const fail = (code: ErrorCode, what: string): never => {
    throw new AlexnetError(code, `${path}: ${layer.name}: ${what}`);
  };
  const refuse = (what: string): never => fail("unsupported", what);
  const square = (what: string, both: readonly number[], height: number, width: number, none: number): number => {
    const [a = height || none, b = both[0] ?? (width || none)] = both;
    return a === b ? a : refuse(`${what} ${a}x${b} is not square`);
  };
  const { convolution_param: convolution, inner_product_param: product, lrn_param: norm, pooling_param: pool } = layer;
  switch (typeOf(layer)) {
    case "Convolution": {
      if (convolution === null) return fail("damaged-file", "is a convolution without parameters");
      const { num_output: filters, group: groups, dilation } = convolution;
      if (dilation.some((d) => d !== 1)) return refuse(`dilation ${dilation.join("x")} is not read`);
      if (convolution.axis !== 1) return refuse(`channels on axis ${convolution.axis} are not read`);
      return {
        kind: "convolution",
        name,
        filters,
        size: square("size", convolution.kernel_size, convolution.kernel_h, convolution.kernel_w, 0),
        stride: square("stride", convolution.stride, convolution.stride_h, convolution.stride_w, 1),
        padding: square("padding", convolution.pad, convolution.pad_h, convolution.pad_w, 0),
        groups,
      };
    }
    case "InnerProduct":
      if (product === null) return fail("damaged-file", "is an inner product without parameters");
      if (product.axis !== 1) return refuse(`an inner product from axis ${product.axis} on is not read`);
      if (product.transpose) return refuse("has transposed weights, which are not read");
      return { kind: "fully-connected", name, outputs: product.num_output };
    case "LRN": {
      const { local_size: n, alpha, beta, k, norm_region: region } = norm ?? defaultNorm;
      const within = region === 1;
      const window = within ? n * n : n; // which Caffe divides alpha by
      const plain = { kind: "local-response-norm", name, k: decimal(k), n, alpha: decimal(alpha) / window } as const;
      return { ...plain, beta: decimal(beta), ...(within ? { region: "within-map" } : {}) };
    }
    case "Pooling": {
      if (pool === null) return fail("damaged-file", "is a pooling without parameters");
      const { pool: operation, global_pooling: global } = pool;
      const given = (value: number): readonly number[] => (value === 0 ? [] : [value]);
      const padding = square("padding", given(pool.pad), pool.pad_h, pool.pad_w, 0);
      const kind = operation === 0 ? "max-pool" : operation === 1 ? "average-pool" : undefined;
      if (kind === undefined || global || padding !== 0)
        return refuse("only maximum and average pooling of windows without padding is read");
      return {
        kind,
        name,
        size: square("size", given(pool.kernel_size), pool.kernel_h, pool.kernel_w, 0),
        stride: square("stride", pool.stride_h > 0 ? [] : [pool.stride], pool.stride_h, pool.stride_w, 1),
      };
    }
    case "Dropout":
      return { kind: "dropout", name, rate: decimal(layer.dropout_param?.dropout_ratio ?? 0.5) };
    case "ReLU":
      if ((layer.relu_param?.negative_slope ?? 0) !== 0)
        return refuse(
          `a leaky ReLU (negative_slope ${decimal(layer.relu_param?.negative_slope ?? 0)}) has no counterpart here`,
        );
      return { kind: "relu", name };
    case "TanH":
      return { kind: "tanh", name };
    default:
      return refuse(`layers of type ${typeOf(layer)} have no counterpart here`);
  }
}

const defaultNorm = { local_size: 5, alpha: 1, beta: 0.75, k: 1, norm_region: 0 };

/** The short decimal that was rounded to a float32. */
function decimal(value: number): number {
  return Number(value.toPrecision(7));
}

/** Caffe's names may hold slashes. */
function sanitisedName(name: string): string {
  return name.replaceAll(/[^\w.-]/g, "_");
}

/** With the project's own name where it knows the network. */
function named(network: Network): Network {
  const widths = (layer: string): readonly number[] | undefined => {
    const found = network.layers.find(({ name }) => name === layer);
    if (found?.kind === "convolution") return [found.filters];
    return found?.kind === "fully-connected" ? [found.outputs] : undefined;
  };
  const same = [caffe, caffenet].find(
    (known) => JSON.stringify(sorted(fitWidths(known, widths))) === JSON.stringify(sorted(network)),
  );
  return same === undefined ? network : { ...network, name: same.name };
}

/** Layers with their fields in one order. */
function sorted({ input, layers }: Network): unknown {
  return [input.size, layers.map((layer) => Object.entries(layer).sort(([a], [b]) => (a < b ? -1 : 1)))];
}

function inputSize(net: Net, layers: readonly CaffeLayer[]): number {
  const crops = layers.map((layer) => layer.transform_param?.crop_size || layer.data_param?.crop_size || 0);
  const shapes = [...net.input_shape, ...layers.flatMap((layer) => layer.input_param?.shape ?? [])];
  return [...crops, net.input_dim[2], ...shapes.map(({ dim }) => dim[2])].find((size = 0) => size > 0) ?? INPUT_SIZE;
}

function transformOf(layers: readonly CaffeLayer[], cropSize: number): Pick<CaffeModel, "scale" | "mean"> {
  const transform = layers.find((layer) => layer.transform_param !== null)?.transform_param;
  const scale = decimal(transform?.scale ?? 1);
  const [blue, green, red] = transform?.mean_value ?? [];
  return {
    scale: [scale, scale, scale],
    mean: blue === undefined ? undefined : constantMean([red ?? blue, green ?? blue, blue], pictureSizeFor(cropSize)),
  };
}

function* storedTensors(layer: CaffeLayer, { kind, name }: Layer, path: string): Generator<[string, StoredTensor]> {
  if (kind !== "convolution" && kind !== "fully-connected") return;
  const [weight, bias] = layer.blobs;
  if (weight === undefined) throw new AlexnetError("damaged-file", `${path}: ${layer.name}: has no weights`);
  const rank = kind === "convolution" ? 4 : 2;
  const stored = storedBlob(weight, rank, `${path}: ${layer.name}`);
  yield [`${name}.weight`, stored];
  const hasBias = (layer.convolution_param ?? layer.inner_product_param)?.bias_term ?? true;
  if (bias !== undefined) yield [`${name}.bias`, storedBlob(bias, 1, `${path}: ${layer.name}`)];
  else if (!hasBias) yield [`${name}.bias`, { shape: stored.shape.slice(0, 1), readInto: (into) => void into.fill(0) }];
}

/** Blobs of old files have four lengths, the first of them 1 where there are fewer. */
function storedBlob(blob: Blob, rank: number, where: string): StoredTensor {
  const lengths = lengthsOf(blob);
  const [front, shape] = [lengths.slice(0, -rank), lengths.slice(-rank)];
  if (front.some((length) => length !== 1) || shape.some((length) => !(length >= 0)))
    throw new AlexnetError(
      "damaged-file",
      `${where}: has a blob of ${lengths.join("x")} where one of ${rank} axes belongs`,
    );
  return { shape, readInto: (into) => readBlob(blob, into, where) };
}

function lengthsOf({ num, channels, height, width, shape }: Blob): readonly number[] {
  return shape === null ? [num, channels, height, width] : shape.dim;
}

function readBlob({ data, double_data: doubles }: Blob, into: Float32Array, where: string): void {
  const [parts, type, size] = data.length > 0 ? ([data, "float32", 4] as const) : ([doubles, "float64", 8] as const);
  const [only, ...others] = parts;
  const bytes = only !== undefined && others.length === 0 ? only : Buffer.concat(parts);
  if (bytes.length !== into.length * size)
    throw new AlexnetError("damaged-file", `${where}: a blob of ${into.length} values holds ${bytes.length} bytes`);
  decodeNumbers(bytes, type, into);
}

/** Weights for blue, green, red as weights for red, green, blue. */
function bgrToRgb({ shape, readInto }: StoredTensor): StoredTensor {
  return {
    shape,
    readInto(into) {
      readInto(into);
      const [filters = 0, channels = 0, height = 0, width = 0] = shape;
      const map = height * width;
      for (let filter = 0; filter < filters; filter++) {
        const weights = into.subarray(filter * channels * map, (filter + 1) * channels * map);
        const blue = weights.slice(0, map);
        weights.copyWithin(0, 2 * map, 3 * map);
        weights.set(blue, 2 * map);
      }
    },
  };
}

/**
 * Caffe's mean image, (3, size, size) in blue, green, red, as ours: (size, size, 3) in red, green, blue.
 * @throws AlexnetError "damaged-file" naming the file and what is wrong with it.
 */
export function readBinaryproto(path: string): Float32Array {
  const blob = blobCodec.decode(readFileSync(path), path);
  const lengths = lengthsOf(blob).slice(-3);
  const [channels, height = 0, width] = lengths;
  if (channels !== 3 || height < 1 || height !== width)
    throw new AlexnetError(
      "damaged-file",
      `${path}: is ${lengths.join("x")}; a mean image is of three colours and square, such as 3x256x256`,
    );
  const planes = new Float32Array(pictureBytes(height));
  readBlob(blob, planes, path);
  return bgrPlanesToRgb(planes);
}

/** (3, size, size) in blue, green, red to (size, size, 3) in red, green, blue. */
export function bgrPlanesToRgb(planes: Float32Array): Float32Array {
  const places = planes.length / 3;
  return planes.map((_, i) => planes[(2 - (i % 3)) * places + Math.floor(i / 3)] ?? Number.NaN);
}
