import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { drawBars } from "../drawing/bars.js";
import { drawMaps, drawOverlay } from "../drawing/maps.js";
import { cropOf, encodePng, squareOf } from "../drawing/pixels.js";
import { AlexnetError } from "../errors.js";
import type { Layer } from "../network/network.js";
import { inferShapes } from "../network/shapes.js";
import { nearestOf, parseOptions, path, taskShape, wholeNumber } from "../options.js";
import { highest } from "../scoring/scores.js";
import { centreView } from "../store/views.js";
import { writeWhole } from "../system/files.js";
import { makeOutputFolder } from "../system/outputs.js";
import { type ProgressEvent, type TaskOptions, taskOf } from "../task.js";
import { enumerate, indexOfName } from "../text.js";
import { mostProbable, type Prediction } from "./classify.js";
import { LoadedModel, type OpenModelOptions, openModelShape, readPictureSize } from "./loaded-model.js";
import { type LayerSheet, lookPage } from "./looking/page.js";
import { type HiddenPlace, type OcclusionOptions, occlude } from "./occlusion.js";
import { inputOf, loadInput, nameOf, type PictureSource } from "./picture-source.js";
import { saliencyMap } from "./saliency.js";

export interface LookingOptions extends TaskOptions<ProgressEvent> {
  /** Look for what speaks for this class. Default the most probable one. */
  readonly class?: string;
  readonly occlusion?: OcclusionOptions;
}

export interface WriteLookOptions extends LookingOptions {
  /** Folder to write to; made if it isn't there. */
  readonly out: string;
  /** Replace a look that is there. */
  readonly force?: boolean;
}

export interface LookOptions extends OpenModelOptions, WriteLookOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
  readonly picture: PictureSource;
}

const lookingShape = {
  ...taskShape<ProgressEvent>(),
  class: z.string().optional(),
  occlusion: z.object({ size: wholeNumber(1).optional(), step: wholeNumber(1).optional() }).optional(),
};

const writingShape = { out: path(), force: z.boolean().optional() };

/** The outputs of one layer for a picture's centre crop. */
export interface FeatureMaps {
  readonly layer: string;
  readonly kind: Layer["kind"];
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** (channels, height, width) */
  readonly values: Float32Array;
}

/** What a network makes of one picture's centre crop. */
export interface PictureLook {
  /** The class looked for, and its probability. */
  readonly class: string;
  readonly probability: number;
  /** The five most probable. */
  readonly predictions: readonly Prediction[];
  /** The square that costs the class the most when it is hidden; in the pixels of the 256x256 picture. */
  readonly mostTelling: HiddenPlace;
  /** Pixels of the crop's side. */
  readonly cropSize: number;
  /** (crop size, crop size, 3), red, green, blue, 0 to 255. */
  readonly crop: Uint8Array;
  /** Each layer's, but for dropout, which does nothing in prediction. */
  readonly maps: readonly FeatureMaps[];
  /** (crop size, crop size): how much of the probability hiding a pixel costs, the mean over the squares that hide it. */
  readonly occlusion: Float32Array;
  /** (crop size, crop size): how much the class's score depends on a pixel. */
  readonly saliency: Float32Array;
}

/** A look at a picture that was drawn into a folder. */
export interface LookResult extends Pick<PictureLook, "class" | "probability" | "predictions" | "mostTelling"> {
  readonly picture: string;
  /** Written into the folder. */
  readonly files: readonly string[];
}

/**
 * Opens a trained network, draws what it makes of one picture's centre crop, and closes it: `index.html`, a page of all
 * that follows; `crop.png`; `activations/<number>-<layer>.png`, a sheet of all maps of each layer; `occlusion.png`, how
 * much hiding each part costs the class; `saliency.png`, which pixels its score depends on; `look.json`.
 * @throws AlexnetError "unreadable-picture" when the picture can't be read, "invalid-option" for a class the network
 * doesn't know, "already-exists" where a look is in the folder, "interrupted" when the signal stopped it. All else as
 * `openModel`.
 */
export async function look(options: LookOptions): Promise<LookResult> {
  const shape = z.object({ ...openModelShape, ...lookingShape, ...writingShape, run: path(), picture: z.unknown() });
  parseOptions(shape, options, "look");
  const { run, picture, checkpoint, engine, threads, precision } = options;
  refuseOverwriting(options);
  makeOutputFolder(options.out, "out");
  const pixels = await loadSource(picture, readPictureSize(run, { checkpoint }));
  const loaded = await LoadedModel.open(run, { checkpoint, engine, threads, precision });
  try {
    return await draw(await lookAt(loaded, pixels, options), nameOfPicture(picture), loaded, options);
  } finally {
    await loaded.close();
  }
}

/** What an open model makes of a picture. @throws as `look`. */
export async function lookWith(
  loaded: LoadedModel,
  picture: PictureSource,
  options: LookingOptions,
): Promise<PictureLook> {
  parseOptions(z.object(lookingShape), options, "look");
  return lookAt(loaded, await loadSource(picture, loaded.sizes.pictureSize), options);
}

/** `look` by an open model. */
export async function writeLookWith(
  loaded: LoadedModel,
  picture: PictureSource,
  options: WriteLookOptions,
): Promise<LookResult> {
  parseOptions(z.object({ ...lookingShape, ...writingShape }), options, "writeLook");
  refuseOverwriting(options);
  const seen = await lookAt(loaded, await loadSource(picture, loaded.sizes.pictureSize), options);
  return draw(seen, nameOfPicture(picture), loaded, options);
}

const SHEETS = "activations";

/** @throws AlexnetError "already-exists" where it would write over another look */
function refuseOverwriting({ out, force = false }: WriteLookOptions): void {
  const there = ["index.html", "look.json", "crop.png", SHEETS].find((name) => existsSync(join(out, name)));
  if (there === undefined) return;
  if (!force)
    throw new AlexnetError("already-exists", `${out}: holds a look already (${there})`, {
      hint: [
        { advice: "choose another folder", option: "out" },
        { advice: "replace it", option: "force", value: true },
      ],
    });
  rmSync(join(out, SHEETS), { recursive: true, force: true });
}

const NAME = "picture";
const nameOfPicture = (picture: PictureSource): string => nameOf(inputOf(picture, NAME), NAME);

function loadSource(source: PictureSource, pictureSize: number): Promise<Uint8Array> {
  return loadInput(inputOf(source, NAME), NAME, pictureSize);
}

async function lookAt(loaded: LoadedModel, picture: Uint8Array, options: LookingOptions): Promise<PictureLook> {
  const { classes, network } = loaded.model;
  const { size } = network.input;
  const { probabilities, maps } = await readMaps(loaded, picture);
  const target = targetClass(options.class, classes, probabilities);
  const { probability, places, drops } = await occlude(loaded, picture, target, options.occlusion, taskOf(options));
  return {
    class: classes[target] ?? "",
    probability,
    predictions: mostProbable(probabilities, classes, 5),
    mostTelling: places.reduce((a, b) => (b.probability < a.probability ? b : a)),
    cropSize: size,
    crop: cropOf(squareOf(loaded.sizes.pictureSize, picture), { ...centreView(loaded.sizes), size }).data,
    maps,
    occlusion: drops,
    saliency: await saliencyMap(loaded, picture, target),
  };
}

async function draw(
  seen: PictureLook,
  picture: string,
  { model, path: file }: LoadedModel,
  { out }: WriteLookOptions,
): Promise<LookResult> {
  const { class: name, probability, predictions, mostTelling, maps, occlusion, saliency, cropSize } = seen;
  const crop = squareOf(cropSize, seen.crop);
  const drawings: { readonly name: string; readonly png: Uint8Array }[] = [
    { name: "crop.png", png: await encodePng(crop) },
  ];
  const layers: LayerSheet[] = [];
  for (const [i, map] of maps.entries()) {
    const isLast = i === maps.length - 1;
    const sheet = `${SHEETS}/${String(i + 1).padStart(2, "0")}-${map.layer}.png`;
    const { layer, kind, channels, height, width, values } = map;
    layers.push({
      ...{ layer, kind, channels, height, width, ...spreadOf(values), file: sheet },
      named: isLast ? Math.min(NAMED, channels) : undefined,
    });
    drawings.push({ name: sheet, png: isLast ? await drawClasses(values, model.classes) : await drawSheetOf(map) });
  }
  drawings.push({ name: "occlusion.png", png: await drawOverlay(crop, occlusion) });
  drawings.push({ name: "saliency.png", png: await drawOverlay(crop, saliency) });
  const files = [...drawings.map((drawing) => drawing.name), "look.json", "index.html"];
  const result: LookResult = { picture, class: name, probability, predictions, mostTelling, files };
  for (const drawing of drawings) write(join(out, drawing.name), drawing.png);
  write(join(out, "look.json"), `${JSON.stringify(result, undefined, 2)}\n`);
  const described = `${model.network.name}, ${file}`;
  write(join(out, "index.html"), lookPage({ ...result, model: described, cropSize, layers }));
  return result;
}

const TILE = 128; // pixels that a map is magnified to at least half of
const PAGE = 1300; // pixels that the page is wide at most, about
const NAMED = 30; // classes that the last layer's drawing names

function drawSheetOf({ values, channels, height, width }: FeatureMaps): Promise<Uint8Array> {
  return drawMaps(values, channels, height, width, { tile: TILE, widest: PAGE, isNumbered: true });
}

/** The last layer's outputs by class, the highest first. */
function drawClasses(values: Float32Array, classes: readonly string[]): Promise<Uint8Array> {
  return drawBars(highest(values, NAMED).map((i) => ({ name: classes[i] ?? "", value: values[i] ?? 0 })));
}

function spreadOf(values: Float32Array): Pick<LayerSheet, "lowest" | "highest" | "shareOfZeros"> {
  let [lowest, most, zeros] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const value of values) {
    lowest = Math.min(lowest, value);
    most = Math.max(most, value);
    if (value === 0) zeros++;
  }
  return { lowest, highest: most, shareOfZeros: zeros / values.length };
}

function write(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeWhole(path, typeof contents === "string" ? contents : [contents]);
}

async function readMaps(
  { model: { network }, sizes, programs }: LoadedModel,
  picture: Uint8Array,
): Promise<{ readonly probabilities: Float32Array; readonly maps: readonly FeatureMaps[] }> {
  const shown = inferShapes(network).filter(({ layer }) => layer.kind !== "dropout");
  const { program, release } = await programs.acquire(
    1,
    shown.map(({ layer }) => layer.name),
  );
  try {
    const views = [centreView(sizes)];
    const probabilities = await program.predict({ pictures: picture, views, labels: Int32Array.of(0) });
    const maps: FeatureMaps[] = [];
    for (const { layer, output } of shown)
      maps.push({ layer: layer.name, kind: layer.kind, ...output, values: await program.activation(layer.name) });
    return { probabilities, maps };
  } finally {
    release();
  }
}

function targetClass(name: string | undefined, classes: readonly string[], probabilities: Float32Array): number {
  if (name === undefined) return highest(probabilities, 1)[0] ?? 0;
  const target = indexOfName(classes, name);
  if (target < 0)
    throw new AlexnetError("invalid-option", `${name}: the network knows no such class; ${likeClasses(name, classes)}`);
  return target;
}

/** Which classes may have been meant: those that have the name in theirs, one spelt nearly so, or what there is. */
function likeClasses(name: string, classes: readonly string[]): string {
  const folded = (text: string): string => text.normalize().toLowerCase();
  const holding = classes.filter((one) => folded(one).includes(folded(name)));
  const nearest = nearestOf(name, classes);
  const like = holding.length > 0 ? holding : nearest === undefined ? [] : [nearest];
  return like.length > 0 ? `did you mean ${enumerate(like, 5)}?` : `its classes are ${enumerate(classes)}`;
}
