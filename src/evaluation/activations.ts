import type { Program } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import type { Network } from "../network/network.js";
import { pictureSizeOf } from "../network/picture.js";
import { inferShapes, type Shape, volume } from "../network/shapes.js";
import { fileBatches } from "../store/reading/file-batches.js";
import type { CropSizes } from "../store/views.js";
import { viewsOf } from "../store/views.js";
import type { Unreadable } from "./classify.js";
import { compileModel, type OpenModel, picturesPerBatch } from "./open-model.js";

/** What a layer makes of some files' centre crops. */
export interface Activations {
  /** Those that could be read. */
  readonly files: readonly string[];
  /** (files, channels, height, width). */
  readonly rows: Float32Array;
  readonly failures: readonly Unreadable[];
}

export interface ActivationOptions {
  readonly layer: string;
  readonly workers?: number;
  readonly signal?: AbortSignal;
}

const MOST_BYTES = 256e6; // of one batch's activations

/** A layer's activations of picture files, batch by batch in their order. Closes the program, not the model. */
export async function* readActivations(
  open: OpenModel,
  files: readonly string[],
  { layer, workers, signal }: ActivationOptions,
): AsyncGenerator<Activations> {
  const { network, preprocessing } = open.model;
  const sizes = { pictureSize: pictureSizeOf(preprocessing), cropSize: network.input.size };
  const length = volume(layerShape(network, layer));
  const size = Math.max(1, Math.min(files.length, picturesPerBatch(1), Math.floor(MOST_BYTES / (4 * length))));
  const program = await compileModel(open, { batchSize: size, observe: [layer] });
  try {
    for await (const { pictures, files: batch, outcomes, readable, release } of fileBatches(files, {
      size,
      pictureSize: sizes.pictureSize,
      workers,
      signal,
    })) {
      const rows = await activate(program, layer, pictures, readable, sizes);
      release();
      yield {
        files: readable.map((i) => batch[i]),
        rows,
        failures: batch.flatMap((file, i) => {
          const error = outcomes[i];
          return error === null ? [] : [{ file, error }];
        }),
      };
    }
  } finally {
    await program.close();
  }
}

async function activate(
  program: Program,
  layer: string,
  pictures: Uint8Array,
  which: readonly number[],
  sizes: CropSizes,
): Promise<Float32Array> {
  if (which.length === 0) return new Float32Array();
  const views = which.flatMap((i) => viewsOf(1, sizes, i));
  await program.predict({ pictures, views, labels: new Int32Array(views.length) });
  return program.activation(layer);
}

/** What the layer makes of one picture. @throws AlexnetError "usage" naming the layers there are. */
export function layerShape(network: Network, name: string): Shape {
  const shaped = inferShapes(network);
  const found = shaped.find(({ layer }) => layer.name === name);
  if (found === undefined)
    throw new AlexnetError(
      "invalid-option",
      `${name}: ${network.name} has no such layer; it has ${shaped.map(({ layer }) => layer.name).join(", ")}`,
    );
  return found.output;
}

/**
 * The last hidden layer, whose activations the paper compares pictures by (section 6.1): what the last layer sees,
 * before dropout, which does nothing in prediction. relu7 of the paper's network.
 */
export function lastHiddenLayer(network: Network): string {
  const hidden = network.layers.slice(0, -1).filter(({ kind }) => kind !== "dropout");
  const last = hidden.at(-1);
  if (last === undefined)
    throw new AlexnetError("invalid-option", `${network.name}: has no hidden layer; name one with --layer`);
  return last.name;
}
