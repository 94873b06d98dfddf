import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { AlexnetError } from "../errors.js";
import { importModel } from "../formats/import.js";
import type { Model } from "../model/model.js";
import { initialise } from "../network/initialise.js";
import { type Parameter, parameterTable, parameterView } from "../network/parameters.js";
import { withClasses } from "../network/transform.js";
import type { Recipe } from "../recipes/recipe.js";
import { modelHash } from "../runs/checkpoint/format.js";
import { checkpointPath } from "../runs/checkpoint/keep.js";
import { isCheckpoint, readModel } from "../runs/checkpoint/read.js";
import { RunFolder } from "../runs/folder.js";
import { indexOfName } from "../text.js";

/** A trained network that training starts from, on other pictures. */
export interface Pretrained {
  /** The file it is in. */
  readonly path: string;
  readonly model: Model;
  /** Of all that its predictions depend on. */
  readonly hash: string;
  /** Factor of its maps, as its run has it; 1 where no run says. */
  readonly width: number;
}

/**
 * The network of a run's best checkpoint, of a checkpoint's file, or of a file that `importModel` reads.
 * @throws AlexnetError "not-found" when there is none, "damaged-file" or "unsupported" when it can't be read, and
 * "incomplete-model" when it does not say all that predictions depend on.
 */
export async function readPretrained(from: string): Promise<Pretrained> {
  const found = statSync(from, { throwIfNoEntry: false });
  if (found === undefined) throw new AlexnetError("not-found", `${from}: no such run or file to go on from`);
  const path = resolve(found.isDirectory() ? checkpointPath(new RunFolder(from).checkpoints, "best") : from);
  const model = !found.isDirectory() && !isCheckpoint(path) ? await imported(path) : readModel(path);
  return { path, model, hash: modelHash(model), width: widthOf(path) };
}

/** A checkpoint lies in its run's folder of checkpoints. */
function widthOf(checkpoint: string): number {
  const run = new RunFolder(dirname(dirname(checkpoint)));
  return run.exists ? run.readConfig().width : 1;
}

async function imported(path: string): Promise<Model> {
  try {
    return (await importModel(path)).model;
  } catch (error) {
    if (!(error instanceof AlexnetError) || error.code !== "incomplete-model") throw error;
    const missing = error.hints.flatMap((hint) => ("option" in hint ? [hint.option] : [])).join(" and ");
    const advice = `make a run of it that says its ${missing}, and start from that`;
    const hint = { advice, call: "importModel", options: { path, out: "runs/base" } };
    throw new AlexnetError(error.code, error.problem, { hint, cause: error });
  }
}

/** What becomes of the last layer: its outputs stay for the same classes, in whatever order. */
export type Head = "kept" | "new";

export function headFor({ classes: known }: Model, classes: readonly string[]): Head {
  return known.length === classes.length && classes.every((name) => indexOfName(known, name) >= 0) ? "kept" : "new";
}

/**
 * Where fine-tuning starts: the trained network with a last layer for these classes, which is fresh as `recipe` says
 * where it had others. Preprocessing stays: the parameters rely on it.
 */
export function startFrom(trained: Model, classes: readonly string[], recipe: Recipe, seed: number): Model {
  const network = withClasses(trained.network, classes.length);
  const parameters = initialise(network, recipe.initialisation, seed);
  const isKept = headFor(trained, classes) === "kept";
  const outputs = classes.map((name) => indexOfName(trained.classes, name));
  const last = network.layers.at(-1)?.name;
  const before = new Map(parameterTable(trained.network).map((parameter) => [parameter.name, parameter]));
  for (const parameter of parameterTable(network)) {
    const own = before.get(parameter.name);
    if (own === undefined) continue;
    const [from, to] = [parameterView(trained.parameters, own), parameterView(parameters, parameter)];
    if (parameter.layer !== last) to.set(from);
    else if (isKept) copyOutputs(parameter, from, to, outputs);
  }
  return { network, classes, parameters, preprocessing: trained.preprocessing };
}

/** Row `i` of `to` is row `outputs[i]` of `from`. */
function copyOutputs({ count }: Parameter, from: Float32Array, to: Float32Array, outputs: readonly number[]): void {
  const row = count / outputs.length;
  outputs.forEach((output, i) => {
    to.set(from.subarray(output * row, (output + 1) * row), i * row);
  });
}
