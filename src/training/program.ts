import type { Program } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { frozenFeatures, lastFrozenLayer } from "../evaluation/frozen-features.js";
import { pictureBytes } from "../network/picture.js";
import { batches, type ReadBatches } from "../store/reading/batches.js";
import type { FrozenFeatures } from "../store/reading/feature-batches.js";
import { heldBatches, holdPictures } from "../store/reading/held-pictures.js";
import { pictureCount } from "../store/store.js";
import { allFinite } from "../system/finite.js";
import { classWeights, weighed } from "./balance.js";
import { multipliersOf, type SettledRun } from "./settle.js";
import type { Start } from "./start.js";

/** A program that is ready to train, and what gives it batches. */
export interface OpenProgram {
  /** Holds the parameters and momentum that training starts with. */
  readonly program: Program;
  readonly read: ReadBatches;
  /** What frozen layers make of the pictures, where the program begins after them. */
  readonly features?: FrozenFeatures;
  /** Pictures that fit into the device's memory, which holds them if these are all. */
  readonly capacity: number;
  close(): Promise<void>;
}

/**
 * Compiles the network and writes what training starts with into it. Frozen layers are computed once beforehand, and
 * pictures brought to the device's memory, where that can be.
 * @throws AlexnetError "not-finite" when fresh parameters give no probabilities; "interrupted" once the signal is given.
 */
export async function openProgram(
  run: SettledRun,
  { model, momentum, state, algorithms }: Start,
): Promise<OpenProgram> {
  const { config, store, engine, task } = run;
  const { network, recipe, workers } = config;
  const layer = lastFrozenLayer(network, recipe);
  const features =
    layer === undefined ? undefined : await frozenFeatures({ store, engine, model, layer, workers }, task);
  const program = await engine.compile(network, {
    batchSize: recipe.batchSize,
    mode: "train",
    preprocessing: model.preprocessing,
    multipliers: multipliersOf(recipe, network),
    after: features?.layer,
    algorithms,
  });
  const close = async (): Promise<void> => {
    await program.close();
    await features?.close();
  };
  try {
    await program.write("parameters", model.parameters);
    if (momentum !== undefined) await program.write("momentum", momentum);
    const balanced = (read: ReadBatches): ReadBatches =>
      config.balance === "weights" ? weighed(read, classWeights(store.labels("train"), store.classes.length)) : read;
    if (features !== undefined) return { program, read: balanced(features.batches), features, capacity: 0, close };
    if (state.step === 0) await checkOutputs(program, store.info.pictureSize);
    const capacity = config.resident ? await hold(run, program) : 0;
    const fromStore = capacity >= pictureCount(store) ? heldBatches : batches;
    return { program, read: balanced(run.read ?? ((options) => fromStore(store, options))), capacity, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function hold({ config, store, task }: SettledRun, program: Program): Promise<number> {
  const { network, workers } = config;
  return holdPictures({ program, store, cropSize: network.input.size, workers }, task);
}

/** Runs one picture through the network. */
async function checkOutputs(program: Program, pictureSize: number): Promise<void> {
  const probabilities = await program.predict({
    pictures: new Uint8Array(pictureBytes(pictureSize)).fill(128),
    views: [{ picture: 0, top: 0, left: 0, mirrored: false, colourShift: [0, 0, 0] }],
    labels: Int32Array.of(0),
  });
  if (!allFinite(probabilities))
    throw new AlexnetError(
      "not-finite",
      "the network's outputs are not finite from the start; check the recipe's initialisation",
    );
}
