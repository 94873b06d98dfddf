import { closeSync, openSync, readSync } from "node:fs";
import { extname } from "node:path";
import { AlexnetError } from "../errors.js";
import { checkClasses, parseDescription } from "../model/description.js";
import {
  constantMean,
  fitWidths,
  gatherParameters,
  type Model,
  type StoredTensor,
  type StoredTensors,
} from "../model/model.js";
import { oneWeirdTrick } from "../network/architectures/one-weird-trick.js";
import { paper } from "../network/architectures/paper.js";
import type { Network } from "../network/network.js";
import { resolveNetwork } from "../network/networks.js";
import { parameterTable } from "../network/parameters.js";
import { type Preprocessing, pictureSizeFor, pictureSizeOf } from "../network/picture.js";
import { classCount } from "../network/transform.js";
import { enumerate } from "../text.js";
import { readCaffemodel } from "./caffe/caffe.js";
import { imagenetClasses } from "./imagenet-classes.js";
import { readMeanImage } from "./mean-image.js";
import { openOnnx } from "./onnx/onnx.js";
import { isTorchvision, type Naming, ownNaming, torchvisionNaming, withoutWrappers } from "./pytorch/naming.js";
import { openPytorch } from "./pytorch/pytorch.js";
import type { StateDict } from "./pytorch/state-dict.js";
import { openTensors } from "./safetensors-model.js";

/** What files of other programs don't say, or what shall replace what they do. */
export interface ImportOptions {
  /** A name, the path of a JSON file, or a description. Widths and the number of classes come from the file's tensors. */
  readonly network?: string | Network;
  /** Subtracted from pixels: (size, size, 3), of the pictures' size; one colour; or a mean image's file, .binaryproto or .npy. */
  readonly mean?: Float32Array | readonly [red: number, green: number, blue: number] | string;
  /** What pixels are multiplied by afterwards: red, green, blue. */
  readonly scale?: Preprocessing["scale"];
  /** Names in the order of the outputs. */
  readonly classes?: readonly string[];
  /** Names of tensors that no prediction depends on and the network has no place for; `*` stands for any characters. */
  readonly ignore?: readonly string[];
}

export interface Imported {
  readonly model: Model;
  readonly format: ImportFormat;
  /** What was taken for granted where the file says nothing. */
  readonly assumptions: readonly Assumption[];
}

export interface Assumption {
  /** What is assumed, as a clause: "pixels are multiplied by 1". */
  readonly assumed: string;
  /** The option that says otherwise. */
  readonly option: "network" | "mean" | "scale" | "classes" | "ignore";
}

export type ImportFormat = "pytorch" | "safetensors" | "onnx" | "caffe";

/**
 * A trained network out of a file of PyTorch (.pt, .pth), safetensors, ONNX or Caffe (.caffemodel), with the
 * preprocessing its program used. Kinds are told apart by the files' contents, and by the ending where those don't tell.
 * @throws AlexnetError "not-found", "unsupported" or "damaged-file" naming the file and what is wrong,
 * "incomplete-model" with the options that say what is missing as its hints.
 */
export async function importModel(path: string, options: ImportOptions = {}): Promise<Imported> {
  const format = formatOf(path);
  const assumptions: Assumption[] = [];
  const gaps: Gaps = { path, options, assume: (assumed, option) => void assumptions.push({ assumed, option }) };
  const model = format === "caffe" ? fromCaffe(gaps) : await fromStateDict(gaps, openers[format]);
  const [first] = options.ignore ?? [];
  if (first !== undefined && !assumptions.some(({ option }) => option === "ignore"))
    throw new AlexnetError(
      "invalid-option",
      `ignore ${first}: ${path} has no tensor of that name that the network has no place for`,
    );
  return { model, format, assumptions };
}

interface Gaps {
  readonly path: string;
  readonly options: ImportOptions;
  readonly assume: (assumed: string, option: Assumption["option"]) => void;
}

const openers: { readonly [F in Exclude<ImportFormat, "caffe">]: (path: string) => StateDict | Promise<StateDict> } = {
  pytorch: openPytorch,
  safetensors: openTensors,
  onnx: openOnnx,
};

const endings: Readonly<Record<string, ImportFormat>> = {
  ".pt": "pytorch",
  ".pth": "pytorch",
  ".bin": "pytorch",
  ".safetensors": "safetensors",
  ".onnx": "onnx",
  ".caffemodel": "caffe",
};

function formatOf(path: string): ImportFormat {
  const start = startOf(path);
  if (start.subarray(0, 4).equals(Buffer.from("PK\x03\x04"))) return "pytorch";
  if (start[0] === 0x80 && start[1] === 2 && start[2] === 0x8a) return "pytorch"; // a pickle that begins with an integer
  if (start.length > 8 && start[8] === 0x7b && start.readUInt32LE(4) === 0) return "safetensors"; // "{" of its header
  const format = endings[extname(path).toLowerCase()];
  if (format === undefined)
    throw new AlexnetError("unsupported", `${path}: of no known kind; there are ${Object.keys(endings).join(", ")}`);
  return format;
}

function startOf(path: string): Buffer {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new AlexnetError("not-found", `${path}: can't be read; give a model file`, { cause });
  }
  try {
    const start = Buffer.alloc(16);
    return start.subarray(0, readSync(file, start, 0, start.length, 0));
  } catch (cause) {
    throw new AlexnetError("not-found", `${path}: is no file; give a model file`, { cause });
  } finally {
    closeSync(file);
  }
}

async function fromStateDict(gaps: Gaps, open: (path: string) => StateDict | Promise<StateDict>): Promise<Model> {
  const { path, options } = gaps;
  const dict = await open(path);
  try {
    const described = dict.description === undefined ? undefined : parseDescription(dict.description, path);
    const given = chosenNetwork(options) ?? described?.network;
    const own = firstWeights(given ?? paper);
    const names = withoutWrappers(dict.tensors.keys(), [own, torchvisionFirst]);
    const tensors = new Map([...names].flatMap(([name, original]) => entryOf(dict.tensors, name, original)));
    const foreign = isTorchvision(tensors);
    const naming = foreign ? torchvisionNaming : ownNaming;
    const base = given ?? (foreign ? oneWeirdTrick : undefined);
    if (base === undefined)
      throw new AlexnetError("incomplete-model", `${path}: does not say which network it is`, {
        hint: { advice: "name the network, or give a JSON file of its layers", option: "network" },
      });
    const network = fitWidths(base, (layer) => tensors.get(`${naming.layer(layer)}.weight`)?.shape);
    refuseUnread(network, dict.unread, naming, path);
    const parameters = gatherParameters(network, tensors, naming.parameter, path);
    if (described === undefined) {
      if (dict.checkProgram === undefined) {
        refuseLeftovers(gaps, network, [...tensors.keys(), ...dict.unread.keys()], naming);
        if (options.network === undefined)
          gaps.assume(`between its weights it computes what ${base.name} does: the file does not say`, "network");
      } else dict.checkProgram(network, (layer) => names.get(`${naming.layer(layer)}.weight`) ?? "");
    }
    return {
      network,
      parameters,
      preprocessing: preprocessingOf(
        gaps,
        network,
        described?.preprocessing,
        foreign ? torchvisionPreprocessing(network) : undefined,
      ),
      classes: classesOf(gaps, network, described?.classes),
    };
  } finally {
    dict.close();
  }
}

const torchvisionFirst = "features.0.weight";

function firstWeights(network: Network): string {
  return `${network.layers.find(({ kind }) => kind === "convolution" || kind === "fully-connected")?.name}.weight`;
}

function entryOf(tensors: StoredTensors, name: string, original: string): readonly (readonly [string, StoredTensor])[] {
  const tensor = tensors.get(original);
  return tensor === undefined ? [] : [[name, tensor]];
}

/** @throws AlexnetError "unsupported" where a parameter is there, but as something that can't be read */
function refuseUnread(network: Network, unread: StateDict["unread"], naming: Naming, path: string): void {
  const names = withoutWrappers(unread.keys(), [firstWeights(network), torchvisionFirst]);
  for (const parameter of parameterTable(network)) {
    const name = names.get(naming.parameter(parameter));
    if (name !== undefined)
      throw new AlexnetError("unsupported", `${path}: ${name} is ${unread.get(name)}, which is not read`);
  }
}

/** Counters that no prediction depends on. */
const isCounter = (name: string): boolean => /(^|\.)(num_batches_tracked|global_step|n_averaged)$/.test(name);

/** @throws AlexnetError "unsupported" where a file has parameters that the network has no place for, and none says to ignore */
function refuseLeftovers(
  { path, options: { ignore = [] }, assume }: Gaps,
  network: Network,
  names: readonly string[],
  naming: Naming,
): void {
  const used = new Set(parameterTable(network).map(naming.parameter));
  const unused = names.filter((name) => !used.has(name) && !isCounter(name));
  const isIgnored = matcherOf(ignore);
  const ignored = unused.filter(isIgnored);
  if (ignored.length > 0) assume(`no prediction depends on ${enumerate(ignored, 5)}`, "ignore");
  const left = unused.filter((name) => !isIgnored(name));
  const [first] = left;
  if (first === undefined) return;
  throw new AlexnetError(
    "unsupported",
    `${path}: computes something else than ${network.name}, which has no place for ${enumerate(left, 5)}`,
    {
      hint: [
        { advice: "give a JSON file of the layers that it has", option: "network" },
        { advice: "leave out what no prediction depends on", option: "ignore", value: first },
      ],
    },
  );
}

/** Whether a name is one of these patterns, in which `*` stands for any characters. */
function matcherOf(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const literals = pattern.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    return new RegExp(`^${literals.join(".*")}$`, "s");
  });
  return (name) => expressions.some((expression) => expression.test(name));
}

function fromCaffe(gaps: Gaps): Model {
  const { network, parameters, scale, mean } = readCaffemodel(gaps.path);
  if (gaps.options.network !== undefined)
    throw new AlexnetError("invalid-option", `${gaps.path}: describes its network itself`, {
      hint: { advice: "leave the network out", option: "network" },
    });
  const known = mean === undefined ? undefined : { mean, scale };
  const preprocessing = preprocessingOf({ ...gaps, options: { scale, ...gaps.options } }, network, known, undefined);
  return { network, parameters, preprocessing, classes: classesOf(gaps, network, undefined) };
}

function chosenNetwork({ network }: ImportOptions): Network | undefined {
  return typeof network === "string" ? resolveNetwork(network) : network;
}

function chosenMean({ mean }: ImportOptions, network: Network): Float32Array | undefined {
  if (typeof mean === "string") return readMeanImage(mean);
  return mean === undefined || mean instanceof Float32Array
    ? mean
    : constantMean(mean, pictureSizeFor(network.input.size));
}

/** What torchvision's models see: (pixel / 255 - mean) / deviation. */
function torchvisionPreprocessing({ input }: Network): Preprocessing {
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ] as const;
  const scale = (i: 0 | 1 | 2): number => 1 / (255 * deviation[i]);
  const colour = [mean[0] * 255, mean[1] * 255, mean[2] * 255] as const;
  return { mean: constantMean(colour, pictureSizeFor(input.size)), scale: [scale(0), scale(1), scale(2)] };
}

function preprocessingOf(
  { path, options, assume }: Gaps,
  network: Network,
  described: Preprocessing | undefined,
  usual: Preprocessing | undefined,
): Preprocessing {
  const { scale } = options;
  const mean = chosenMean(options, network);
  if (mean !== undefined) refuseSmallerMean(mean, network, path);
  if (mean !== undefined && scale !== undefined) return { mean, scale };
  const known = described ?? usual;
  if (known === undefined && mean === undefined)
    throw new AlexnetError("incomplete-model", `${path}: does not say what is subtracted from pixels`, {
      hint: {
        advice: "give a .binaryproto, a .npy or one colour, such as 122.68,116.67,104.01 of ILSVRC 2012",
        option: "mean",
      },
    });
  if (known === undefined) assume("pixels are multiplied by 1", "scale");
  else if (described === undefined)
    assume(
      "pixels are preprocessed as torchvision does: mean 0.485 0.456 0.406, standard deviation 0.229 0.224 0.225",
      "mean",
    );
  const base = known ?? {
    mean: constantMean([0, 0, 0], pictureSizeFor(network.input.size)),
    scale: [1, 1, 1] as const,
  };
  return { mean: mean ?? base.mean, scale: scale ?? base.scale };
}

function refuseSmallerMean(mean: Float32Array, { name, input }: Network, path: string): void {
  const size = pictureSizeOf({ mean });
  if (size >= input.size) return;
  throw new AlexnetError(
    "invalid-option",
    `${path}: the mean image is of ${size}x${size} pictures, and ${name} sees crops of ${input.size}x${input.size}`,
    { hint: { advice: "give the mean image of larger pictures, or one colour", option: "mean" } },
  );
}

function classesOf(
  { path, options, assume }: Gaps,
  network: Network,
  described: readonly string[] | undefined,
): readonly string[] {
  if (options.classes !== undefined) return checkClasses(options.classes, network, path, "invalid-option");
  if (described !== undefined) return checkClasses(described, network, path, "damaged-file");
  const count = classCount(network);
  if (count < 2)
    throw new AlexnetError(
      "unsupported",
      `${path}: has ${count} output; there must be two classes or more to tell apart`,
    );
  if (count === imagenetClasses.length) {
    assume("its 1000 classes are those of ILSVRC 2012, in their order", "classes");
    return imagenetClasses.map(({ name }) => name);
  }
  assume(`its ${count} classes have no names`, "classes");
  return Array.from({ length: count }, (_, i) => `class ${i}`);
}
