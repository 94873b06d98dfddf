import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { AlgorithmChoices, EngineDescription } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import type { Recipe } from "../../recipes/recipe.js";
import type { ColourComponents } from "../../store/colour.js";
import type { TrainingState } from "../state.js";

/**
 * What a checkpoint holds and what its parts are called. Loads nothing: the thread that writes a checkpoint starts the
 * sooner, the less it loads.
 */

export const FORMAT = "alexnet checkpoint 1";
export const MOMENTUM = "momentum.";
export const MEAN = "mean";

/** Where and how the parameters came about. */
export interface Origin {
  readonly recipe: Recipe;
  readonly seed: number;
  /** Of the store trained on: its hash and its colours' components. */
  readonly dataHash: string;
  readonly colour: ColourComponents;
  readonly engine: EngineDescription;
  /** Where the engine chose among several: going on with the same gives the same bits. */
  readonly algorithms?: AlgorithmChoices;
  readonly state: TrainingState;
}

/** All that training goes on from. */
export interface Checkpoint {
  readonly model: Model;
  readonly origin: Origin;
  /** In the order of the parameters. */
  readonly momentum: Float32Array;
}

export function modelText({ network, classes, preprocessing: { scale } }: Model): string {
  return JSON.stringify({ network, classes, scale });
}

/** What `readModelHash` gives of a checkpoint of this model. */
export function modelHash(model: Model): string {
  return hash(modelText(model), model.preprocessing.mean, model.parameters);
}

/** SHA-256 of a text and of the values that go with it. */
export function hash(text: string, ...values: readonly Float32Array[]): string {
  const sum = createHash("sha256").update(text);
  for (const { buffer, byteOffset, byteLength } of values) sum.update(new Uint8Array(buffer, byteOffset, byteLength));
  return sum.digest("hex");
}

const TURN = 1 << 24; // bytes: hashed in about 10 ms

/** `hash`, letting the thread do other things in between. */
export async function hashInTurns(text: string, ...values: readonly Float32Array[]): Promise<string> {
  const sum = createHash("sha256").update(text);
  for (const { buffer, byteOffset, byteLength } of values)
    for (let done = 0; done < byteLength; done += TURN) {
      sum.update(new Uint8Array(buffer, byteOffset + done, Math.min(TURN, byteLength - done)));
      await setImmediate();
    }
  return sum.digest("hex");
}
