import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { extname } from "node:path";
import { AlexnetError } from "../errors.js";
import { checkClasses, parseDescription } from "../model/description.js";
import { constantMean, fitWidths, gatherParameters, type Model } from "../model/model.js";
import { oneWeirdTrick } from "../network/architectures/one-weird-trick.js";
import type { Network } from "../network/network.js";
import type { Preprocessing } from "../network/picture.js";
import { classCount } from "../network/transform.js";
import { readBinaryproto, readCaffemodel } from "./caffe/caffe.js";
import { imagenetClasses } from "./imagenet-classes.js";
import { isTorchvision, ownNaming, torchvisionNaming } from "./naming.js";
import { readMeanNpy } from "./npy.js";
import { openOnnx } from "./onnx/onnx.js";
import { openPytorch } from "./pytorch/pytorch.js";
import type { StateDict } from "./state-dict.js";
import { openTensors } from "./tensors.js";
import { readTriple } from "./triple.js";

/** What files of other programs don't say, or what shall replace what they do. */
export interface ImportOptions {
  /** Its widths and number of classes are taken from the file's tensors. */
  readonly network?: Network;
  /** (256, 256, 3) */
  readonly mean?: Float32Array;
  readonly scale?: Preprocessing["scale"];
  readonly classes?: readonly string[];
}

export interface Imported {
  readonly model: Model;
  readonly format: Format;
  /** What was taken for granted where the file says nothing: a sentence each, for people. */
  readonly assumptions: readonly string[];
}

export type Format = "pytorch" | "safetensors" | "onnx" | "caffe";

/**
 * A trained network out of a file of PyTorch (.pt, .pth), safetensors, ONNX or Caffe (.caffemodel), with the
 * preprocessing its program used. Kinds are told apart by the files' contents, and by the ending where those don't tell.
 * @throws AlexnetError "format" naming the file and what is wrong or missing, and which option says it.
 */
export async function importModel(path: string, options: ImportOptions = {}): Promise<Imported> {
  const format = formatOf(path);
  const assumptions: string[] = [];
  const gaps: Gaps = { path, options, assume: (what) => void assumptions.push(what) };
  const model = format === "caffe" ? fromCaffe(gaps) : await fromStateDict(gaps, openers[format]);
  return { model, format, assumptions };
}

interface Gaps {
  readonly path: string;
  readonly options: ImportOptions;
  readonly assume: (what: string) => void;
}

const openers: { readonly [F in Exclude<Format, "caffe">]: (path: string) => StateDict | Promise<StateDict> } = {
  pytorch: openPytorch,
  safetensors: openTensors,
  onnx: openOnnx,
};

const endings: Readonly<Record<string, Format>> = {
  ".pt": "pytorch",
  ".pth": "pytorch",
  ".bin": "pytorch",
  ".safetensors": "safetensors",
  ".onnx": "onnx",
  ".caffemodel": "caffe",
};

function formatOf(path: string): Format {
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
    const foreign = isTorchvision(dict.tensors);
    const naming = foreign ? torchvisionNaming : ownNaming;
    const base = options.network ?? described?.network ?? (foreign ? oneWeirdTrick : undefined);
    if (base === undefined)
      throw new AlexnetError("incomplete-model", `${path}: does not say which network it is; say it with --network`);
    const network = fitWidths(base, (layer) => dict.tensors.get(`${naming.layer(layer)}.weight`)?.shape);
    return {
      network,
      parameters: gatherParameters(network, dict.tensors, naming.parameter, path),
      preprocessing: preprocessingOf(gaps, described?.preprocessing, foreign ? torchvisionPreprocessing : undefined),
      classes: classesOf(gaps, network, described?.classes),
    };
  } finally {
    dict.close();
  }
}

function fromCaffe(gaps: Gaps): Model {
  const { network, parameters, scale, mean } = readCaffemodel(gaps.path);
  if (gaps.options.network !== undefined)
    throw new AlexnetError("invalid-option", `${gaps.path}: describes its network itself; leave --network out`);
  const known = mean === undefined ? undefined : { mean, scale };
  const preprocessing = preprocessingOf({ ...gaps, options: { scale, ...gaps.options } }, known, undefined);
  return { network, parameters, preprocessing, classes: classesOf(gaps, network, undefined) };
}

/** What torchvision's models see: (pixel / 255 - mean) / deviation. */
function torchvisionPreprocessing(): Preprocessing {
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ] as const;
  const scale = (i: 0 | 1 | 2): number => 1 / (255 * deviation[i]);
  return { mean: constantMean([mean[0] * 255, mean[1] * 255, mean[2] * 255]), scale: [scale(0), scale(1), scale(2)] };
}

function preprocessingOf(
  { path, options, assume }: Gaps,
  described: Preprocessing | undefined,
  usual: (() => Preprocessing) | undefined,
): Preprocessing {
  const { mean, scale } = options;
  if (mean !== undefined && scale !== undefined) return { mean, scale };
  const known = described ?? usual?.();
  if (known === undefined && mean === undefined)
    throw new AlexnetError(
      "incomplete-model",
      `${path}: does not say what is subtracted from pixels; give --mean: a .binaryproto, a .npy or red,green,blue ` +
        "(of ILSVRC 2012: 122.68,116.67,104.01)",
    );
  if (known === undefined) assume("pixels are multiplied by 1 (--scale says otherwise)");
  else if (described === undefined)
    assume("pixels are preprocessed as torchvision does: mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225");
  const base = known ?? { mean: constantMean([0, 0, 0]), scale: [1, 1, 1] as const };
  return { mean: mean ?? base.mean, scale: scale ?? base.scale };
}

function classesOf(
  { path, options, assume }: Gaps,
  network: Network,
  described: readonly string[] | undefined,
): readonly string[] {
  const known = options.classes ?? described;
  if (known !== undefined) return checkClasses(known, network, path);
  const count = classCount(network);
  if (count === imagenetClasses.length) {
    assume("its 1000 classes are those of ILSVRC 2012, in their order (--classes says otherwise)");
    return imagenetClasses.map(({ name }) => name);
  }
  assume(`its ${count} classes have no names (--classes names.txt gives them)`);
  return Array.from({ length: count }, (_, i) => `class ${i}`);
}

/**
 * A mean image from `red,green,blue`, Caffe's .binaryproto, or a .npy of (256, 256, 3) in red, green, blue or of
 * Caffe's (3, 256, 256) in blue, green, red.
 * @throws AlexnetError "usage" or "format" naming what can't be read.
 */
export function readMean(text: string): Float32Array {
  const ending = extname(text).toLowerCase();
  if (ending === ".binaryproto") return readBinaryproto(text);
  if (ending === ".npy") return readMeanNpy(text);
  const colour = readTriple(text);
  if (colour === undefined)
    throw new AlexnetError(
      "invalid-option",
      `--mean ${text}: give a .binaryproto, a .npy or three numbers red,green,blue`,
    );
  return constantMean(colour);
}

/**
 * Class names in the order of the outputs: those of a text file, one a line; or ImageNet's "names", or its "ids", which
 * are what the folders of its pictures are named by.
 * @throws AlexnetError "usage" when the file can't be read or a name is empty or there twice.
 */
export function readClasses(path: "names" | "ids" | (string & {})): readonly string[] {
  if (path === "names" || path === "ids") return imagenetClasses.map((row) => (path === "ids" ? row.id : row.name));
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new AlexnetError("not-found", `--classes ${path}: can't be read; give a text file with a name a line`, {
      cause,
    });
  }
  const names = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (names.some((name) => name.trim() === "") || twice !== undefined)
    throw new AlexnetError(
      "invalid-option",
      `--classes ${path}: ${twice ?? "an empty line"}: names must be there and differ`,
    );
  return names;
}
