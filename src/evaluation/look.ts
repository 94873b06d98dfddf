import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { drawMaps, drawOverlay } from "../drawing/maps.js";
import { cropOf, encodePng, squareOf } from "../drawing/pixels.js";
import { AlexnetError } from "../errors.js";
import { loadPicture } from "../images/picture.js";
import { pictureSizeOf } from "../network/picture.js";
import { inferShapes } from "../network/shapes.js";
import { highest } from "../scoring/scores.js";
import { centreView } from "../store/views.js";
import { writeWhole } from "../system/files.js";
import type { Prediction } from "./classify.js";
import { type HiddenPlace, type OcclusionOptions, type OcclusionRun, occlude } from "./occlusion.js";
import { compileModel, type OpenModel, openModel, type TrainedOptions } from "./open-model.js";
import { saliencyMap } from "./saliency.js";

export interface LookOptions extends TrainedOptions, OcclusionRun {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
  readonly picture: string;
  /** Folder to write to; made if it isn't there. */
  readonly out: string;
  /** Look for what speaks for this class. Default the most probable one. */
  readonly class?: string;
  readonly occlusion?: OcclusionOptions;
}

export interface Look {
  readonly picture: string;
  /** The class looked for, and its probability. */
  readonly class: string;
  readonly probability: number;
  /** The five most probable. */
  readonly predictions: readonly Prediction[];
  /** The square that costs the class the most when it is hidden; in the pixels of the 256x256 picture. */
  readonly mostTelling: HiddenPlace;
  /** Written into the folder. */
  readonly files: readonly string[];
}

/**
 * Shows what a network makes of one picture's centre crop: `crop.png`; `activations/<number>-<layer>.png`, a sheet of
 * all maps of each layer; `occlusion.png`, how much hiding each part costs the class; `saliency.png`, which pixels its
 * score depends on; `look.json`.
 * @throws AlexnetError "data" when the picture can't be read, "run" when there is no trained network, "usage" for a
 * class it doesn't know, "interrupted" when the signal stopped it.
 */
export async function look(options: LookOptions): Promise<Look> {
  const open = await openModel(options.run, options);
  try {
    const { classes, network, preprocessing } = open.model;
    const pictureSize = pictureSizeOf(preprocessing);
    const picture = await loadPicture(options.picture, { size: pictureSize });
    const { size } = network.input;
    const crop = cropOf(squareOf(pictureSize, picture), { ...centreView({ pictureSize, cropSize: size }), size });
    const { probabilities, sheets } = await drawActivations(open, picture);
    const target = targetClass(options.class, classes, probabilities);
    const { probability, places, drops } = await occlude(open, picture, target, options.occlusion, options);
    const saliency = await saliencyMap(open, picture, target);
    const drawings: readonly Drawing[] = [
      { name: "crop.png", png: await encodePng(crop) },
      ...sheets,
      { name: "occlusion.png", png: await drawOverlay(crop, drops) },
      { name: "saliency.png", png: await drawOverlay(crop, saliency) },
    ];
    const result: Look = {
      picture: options.picture,
      class: classes[target],
      probability,
      predictions: highest(probabilities, 5).map((output) => ({
        class: classes[output],
        probability: probabilities[output],
      })),
      mostTelling: places.reduce((a, b) => (b.probability < a.probability ? b : a)),
      files: [...drawings.map(({ name }) => name), "look.json"],
    };
    for (const { name, png } of drawings) write(join(options.out, name), png);
    write(join(options.out, "look.json"), `${JSON.stringify(result, undefined, 2)}\n`);
    return result;
  } finally {
    await open.close();
  }
}

interface Drawing {
  readonly name: string;
  readonly png: Uint8Array;
}

function write(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeWhole(path, typeof contents === "string" ? contents : [contents]);
}

/** All layers but dropout, which does nothing here. */
async function drawActivations(
  open: OpenModel,
  picture: Uint8Array,
): Promise<{ readonly probabilities: Float32Array; readonly sheets: readonly Drawing[] }> {
  const { network, preprocessing } = open.model;
  const shown = inferShapes(network).filter(({ layer }) => layer.kind !== "dropout");
  const program = await compileModel(open, { batchSize: 1, observe: shown.map(({ layer }) => layer.name) });
  try {
    const views = [centreView({ pictureSize: pictureSizeOf(preprocessing), cropSize: network.input.size })];
    const probabilities = await program.predict({ pictures: picture, views, labels: Int32Array.of(0) });
    const sheets: Drawing[] = [];
    for (const [i, { layer, output }] of shown.entries()) {
      const { channels, height, width } = output;
      const png = await drawMaps(await program.activation(layer.name), channels, height, width);
      sheets.push({ name: `activations/${String(i + 1).padStart(2, "0")}-${layer.name}.png`, png });
    }
    return { probabilities, sheets };
  } finally {
    await program.close();
  }
}

function targetClass(name: string | undefined, classes: readonly string[], probabilities: Float32Array): number {
  if (name === undefined) return highest(probabilities, 1)[0] ?? 0;
  const target = classes.indexOf(name);
  if (target < 0) throw new AlexnetError("invalid-option", `${name}: the network knows no such class`);
  return target;
}
