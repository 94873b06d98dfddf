import { statSync } from "node:fs";
import { resolve } from "node:path";
import { AlexnetError } from "../errors.js";
import { importModel } from "../formats/import.js";
import type { Model } from "../model/model.js";
import { initialise } from "../network/initialise.js";
import type { Network } from "../network/network.js";
import { type Parameter, parameterTable, parameterView } from "../network/parameters.js";
import { withClasses } from "../network/transform.js";
import type { Recipe } from "../recipes/recipe.js";
import { modelHash } from "../runs/checkpoint/format.js";
import { checkpointPath } from "../runs/checkpoint/keep.js";
import { isCheckpoint, readModel } from "../runs/checkpoint/read.js";
import { RunFolder } from "../runs/folder.js";

/** A trained network to go on from, on other pictures. */
export interface Base {
  /** The file it is in. */
  readonly path: string;
  readonly model: Model;
  /** Of all that its predictions depend on. */
  readonly hash: string;
}

/**
 * The network of a run's best checkpoint, of a checkpoint's file, or of a file that `importModel` reads.
 * @throws AlexnetError "run" or "format" when there is none, it is damaged, or does not say all that is needed.
 */
export async function readBase(from: string): Promise<Base> {
  const found = statSync(from, { throwIfNoEntry: false });
  if (found === undefined) throw new AlexnetError("not-found", `${from}: no such run or file to go on from`);
  const path = resolve(found.isDirectory() ? checkpointPath(new RunFolder(from).checkpoints, "best") : from);
  const model = !found.isDirectory() && !isCheckpoint(path) ? await imported(path) : readModel(path);
  return { path, model, hash: modelHash(model) };
}

async function imported(path: string): Promise<Model> {
  try {
    return (await importModel(path)).model;
  } catch (error) {
    if (!(error instanceof AlexnetError) || error.code !== "incomplete-model") throw error;
    const way = `make a run of it first: alexnet import ${path} --out runs/base, with what is missing; then --from runs/base`;
    throw new AlexnetError(error.code, `${error.message}; ${way}`, { cause: error });
  }
}

/** What becomes of the base's last layer: its outputs stay for the same classes, in whatever order. */
export type Head = "kept" | "new";

export function headFor(base: Model, classes: readonly string[]): Head {
  const same = base.classes.length === classes.length && classes.every((name) => base.classes.includes(name));
  return same ? "kept" : "new";
}

/**
 * Where fine-tuning starts: the base with a last layer for these classes, which is fresh as `recipe` says where the
 * base's has others. Preprocessing is the base's: its parameters rely on it.
 */
export function startFrom(base: Model, classes: readonly string[], recipe: Recipe, seed: number): Model {
  const network = withClasses(base.network, classes.length);
  const parameters = initialise(network, recipe.initialisation, seed);
  const outputs = headFor(base, classes) === "kept" ? classes.map((name) => base.classes.indexOf(name)) : undefined;
  const last = network.layers.at(-1)?.name;
  const before = parameterTable(base.network);
  for (const [i, parameter] of parameterTable(network).entries()) {
    const old = before[i];
    if (old === undefined) continue; // both have the same layers
    const [from, to] = [parameterView(base.parameters, old), parameterView(parameters, parameter)];
    if (parameter.layer !== last) to.set(from);
    else if (outputs !== undefined) copyOutputs(parameter, from, to, outputs);
  }
  return { network, classes, parameters, preprocessing: base.preprocessing };
}

/** Row `i` of `to` is row `outputs[i]` of `from`. */
function copyOutputs(
  { count, shape }: Parameter,
  from: Float32Array,
  to: Float32Array,
  outputs: readonly number[],
): void {
  const [rows = 1] = shape;
  const row = count / rows;
  outputs.forEach((output, i) => {
    to.set(from.subarray(output * row, (output + 1) * row), i * row);
  });
}

/** The base's network. @throws AlexnetError "usage" when another was asked for. */
export function networkOfBase(
  { path, model }: Base,
  asked: { readonly network?: unknown; readonly width?: unknown },
): Network {
  for (const option of ["network", "width"] as const)
    if (asked[option] !== undefined)
      throw new AlexnetError(
        "invalid-option",
        `${option}: the network is that of ${path} (${model.network.name}); leave --${option} out`,
      );
  return model.network;
}
