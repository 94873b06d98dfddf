import { AlexnetError } from "../errors.js";
import type { Network } from "../network/network.js";
import { inferShapes, type Shape, volume } from "../network/shapes.js";
import { fileBatches, type PictureInput } from "../store/reading/file-batches.js";
import { viewsOf } from "../store/views.js";
import type { Task } from "../task.js";
import type { Unreadable } from "./classify.js";
import { type LoadedModel, picturesPerBatch } from "./loaded-model.js";

/** What a layer makes of some pictures' centre crops. */
export interface Activations {
  /** Indices of those that could be read, among all inputs. */
  readonly places: readonly number[];
  /** (pictures, channels, height, width). */
  readonly rows: Float32Array;
  readonly failures: readonly Unreadable[];
}

export interface ActivationOptions {
  readonly layer: string;
  /** What results and errors call the inputs, one each. */
  readonly names: readonly string[];
  /** Threads that decode. */
  readonly workers?: number;
}

const MOST_BYTES = 256e6; // of one batch's activations

/** A layer's activations of pictures, batch by batch in their order. */
export async function* readActivations(
  { model: { network }, sizes, programs }: LoadedModel,
  inputs: readonly PictureInput[],
  { layer, names, workers }: ActivationOptions,
  { signal }: Pick<Task, "signal">,
): AsyncGenerator<Activations> {
  const length = volume(layerShape(network, layer));
  if (inputs.length === 0) return;
  const size = Math.max(1, Math.min(inputs.length, picturesPerBatch(1), Math.floor(MOST_BYTES / (4 * length))));
  const { program, release: giveBack } = await programs.acquire(size, [layer]);
  try {
    for await (const batch of fileBatches(inputs, { size, pictureSize: sizes.pictureSize, workers, signal })) {
      const { pictures, readable, outcomes, first, release } = batch;
      const views = readable.flatMap((i) => viewsOf(1, sizes, i));
      if (views.length > 0) await program.predict({ pictures, views, labels: new Int32Array(views.length) });
      release();
      yield {
        places: readable.map((i) => first + i),
        rows: views.length > 0 ? await program.activation(layer) : new Float32Array(),
        failures: batch.inputs.flatMap((input, i) => {
          const error = outcomes[i] ?? null;
          const file = names[first + i] ?? "";
          return error === null ? [] : [{ file, error: typeof input === "string" ? error : `${file}: ${error}` }];
        }),
      };
    }
  } finally {
    giveBack();
  }
}

/** The shape of a layer's output for one picture. @throws AlexnetError "invalid-option" naming the layers there are. */
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
    throw new AlexnetError("invalid-option", `${network.name}: has no hidden layer`, {
      hint: { advice: "name a layer", option: "layer" },
    });
  return last.name;
}
