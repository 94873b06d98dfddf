import { z } from "zod";
import { precisions } from "../../engine/engine.js";
import { engineNames } from "../../engine/host/engines.js";
import { AlexnetError } from "../../errors.js";
import { type OpenTensorFile, openSafetensors, readSafetensorsHeader } from "../../formats/safetensors.js";
import type { Model } from "../../model/model.js";
import type { Network } from "../../network/network.js";
import { parameterCount, parameterTable, parameterView } from "../../network/parameters.js";
import { parseNetwork } from "../../network/parse.js";
import { COLOURS, pictureBytes } from "../../network/picture.js";
import { recipeSchema } from "../../recipes/recipe.js";
import { mapFloats } from "../../system/mapped-memory.js";
import { trainingState } from "../state.js";
import { type Checkpoint, FORMAT, hash, hashInTurns, MEAN, MOMENTUM, type Origin } from "./format.js";

const modelSchema = z.object({
  network: z.unknown(),
  classes: z.array(z.string()),
  scale: z.tuple([z.number(), z.number(), z.number()]),
});

const triple = z.tuple([z.number(), z.number(), z.number()]);
const originSchema: z.ZodType<Origin> = z.object({
  recipe: recipeSchema,
  seed: z.number(),
  dataHash: z.string(),
  colour: z.object({ values: triple, vectors: z.tuple([triple, triple, triple]) }),
  engine: z.object({
    engine: z.enum(engineNames),
    library: z.string(),
    instructionSet: z.string(),
    /** Of files that were written before there was a choice on CPUs: what they were computed in. */
    precision: z.enum(precisions).default("float32"),
    threads: z.number(),
  }),
  algorithms: z.record(z.string(), z.string()).optional(),
  state: trainingState,
});

/** @throws AlexnetError "damaged-file" naming the file when it is damaged or no checkpoint. */
export function readCheckpoint(path: string): Checkpoint {
  return open(path, (file) => {
    const model = modelIn(file, path);
    verifyModel(file, path, model);
    const origin = parse(originSchema, file, "origin", path);
    const momentum = valuesIn(file, model.network, MOMENTUM);
    verify(file, "origin", path, momentum);
    return { model, origin, momentum };
  });
}

/**
 * Reads only what prediction needs: half of the file. The parameters are mapped: changing them changes this copy only,
 * and the file must not be overwritten in place while they are in use (replacing or removing it is fine).
 * @throws as `readCheckpoint`.
 */
export function readModel(path: string): Model {
  return open(path, (file) => {
    const model = modelIn(file, path);
    verifyModel(file, path, model);
    return model;
  });
}

export interface UnverifiedModel {
  readonly model: Model;
  /** Hashes between other work of this thread. @throws as `readCheckpoint` when the contents aren't those that were written. */
  verify(): Promise<void>;
}

/** Like `readModel`, but returns before the hashes are checked: await `verify()` before using results. */
export function readUnverifiedModel(path: string): UnverifiedModel {
  return open(path, (file) => {
    const model = modelIn(file, path);
    const { metadata } = file;
    return {
      model,
      async verify() {
        const { preprocessing, parameters } = model;
        const now = await hashInTurns(metadata.model ?? "", preprocessing.mean, parameters);
        if (now !== metadata["model-sha256"]) throw otherContents(path, "model");
      },
    };
  });
}

/** Only the JSON: quick for large files, and not protected by a hash. @throws as `readCheckpoint`. */
export function readModelHeader(path: string): Pick<Model, "network" | "classes"> & { readonly pictureSize: number } {
  return open(path, (file) => {
    const { network: description, classes } = parse(modelSchema, file, "model", path);
    const network = parseNetwork(description, path);
    return { network, classes, pictureSize: pictureSizeIn(file.shapes.get(MEAN), network, path) };
  });
}

/** What tells networks apart: the hash of all that prediction needs. @throws as `readCheckpoint`. */
export function readModelHash(path: string): string {
  return open(path, (file) => file.metadata["model-sha256"] ?? "");
}

/** Whether a file is a checkpoint of ours, or of another kind. */
export function isCheckpoint(path: string): boolean {
  try {
    return readSafetensorsHeader(path).metadata.format === FORMAT;
  } catch (error) {
    if (error instanceof AlexnetError) return false;
    throw error;
  }
}

/** Where and how a checkpoint's parameters came about; only the JSON, as `readModelHeader`. */
export function readOrigin(path: string): Origin {
  return open(path, (file) => parse(originSchema, file, "origin", path));
}

function open<T>(path: string, read: (file: OpenTensorFile) => T): T {
  try {
    const file = openSafetensors(path);
    try {
      const { format } = file.metadata;
      if (format !== FORMAT) throw damaged(path, `its format is ${format ?? "not stated"}, expected "${FORMAT}"`);
      return read(file);
    } finally {
      file.close();
    }
  } catch (error) {
    if (!(error instanceof AlexnetError)) throw error;
    throw new AlexnetError("damaged-file", error.message, { cause: error });
  }
}

function modelIn(file: OpenTensorFile, path: string): Model {
  const { network: description, classes, scale } = parse(modelSchema, file, "model", path);
  const network = parseNetwork(description, path);
  const parameters = valuesIn(file, network, "");
  const mean = new Float32Array(pictureBytes(pictureSizeIn(file.shapes.get(MEAN), network, path)));
  file.readInto(MEAN, mean);
  return { network, classes, preprocessing: { mean, scale }, parameters };
}

/** Height and width of the pictures that a mean image is of. @throws AlexnetError "damaged-file" where the network's crop is larger. */
function pictureSizeIn(shape: readonly number[] | undefined, network: Network, path: string): number {
  const [height = 0, width, colours] = shape ?? [];
  const isSquare = shape?.length === 3 && height === width && colours === COLOURS;
  if (!isSquare || height < network.input.size)
    throw damaged(path, `its mean image is ${shape?.join("x") ?? "missing"}, for crops of ${network.input.size}`);
  return height;
}

/** Mapped where they lie in the file as they do in memory, as in all that this version writes; read elsewhere. */
function valuesIn(file: OpenTensorFile, network: Network, prefix: string): Float32Array {
  const table = parameterTable(network);
  const count = parameterCount(network);
  const position = file.positionOfAll(table.map(({ name, shape }) => ({ name: prefix + name, shape })));
  const mapped = position === undefined ? undefined : mapFloats(file.descriptor, position, count);
  if (mapped !== undefined) return mapped;
  const values = new Float32Array(new SharedArrayBuffer(4 * count));
  for (const parameter of table) file.readInto(prefix + parameter.name, parameterView(values, parameter));
  return values;
}

function parse<T>(schema: z.ZodType<T>, file: OpenTensorFile, key: string, path: string): T {
  let value: unknown;
  try {
    value = JSON.parse(file.metadata[key] ?? "");
  } catch {
    throw damaged(path, `its metadata "${key}" is not JSON`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw damaged(path, `its metadata "${key}": ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function verifyModel(file: OpenTensorFile, path: string, { preprocessing, parameters }: Model): void {
  verify(file, "model", path, preprocessing.mean, parameters);
}

function verify(file: OpenTensorFile, key: string, path: string, ...values: readonly Float32Array[]): void {
  if (hash(file.metadata[key] ?? "", ...values) !== file.metadata[`${key}-sha256`]) throw otherContents(path, key);
}

function otherContents(path: string, key: string): AlexnetError {
  return damaged(path, `its contents are not those that were written (${key} hash)`);
}

function damaged(path: string, what: string): AlexnetError {
  return new AlexnetError("damaged-file", `${path}: no whole checkpoint: ${what}`);
}
