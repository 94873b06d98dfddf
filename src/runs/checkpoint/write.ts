import { AlexnetError } from "../../errors.js";
import { encodeSafetensors, type NamedTensor } from "../../formats/safetensors.js";
import type { Model } from "../../model/model.js";
import { type Parameter, parameterTable, parameterView } from "../../network/parameters.js";
import { pictureSizeOf } from "../../network/picture.js";
import { writeWhole } from "../../system/files.js";
import { allFinite } from "../../system/finite.js";
import { type Checkpoint, FORMAT, hash, MEAN, MOMENTUM, modelHash, modelText } from "./format.js";

/**
 * Writes a safetensors file, whole or not at all: the parameters by their names, `mean`, `momentum.<parameter>`;
 * everything else as JSON in the metadata, with one hash over what prediction needs and one over the rest.
 * @returns the file's size in bytes
 * @throws AlexnetError "not-finite" when a value isn't finite, "disk" when it is full; nothing is written then.
 */
export function writeCheckpoint(path: string, { model, origin, momentum }: Checkpoint): number {
  const { tensors, metadata } = describe(model);
  for (const parameter of parameterTable(model.network))
    tensors.set(MOMENTUM + parameter.name, finite(parameter, momentum));
  const originText = JSON.stringify(origin);
  return write(path, tensors, { ...metadata, origin: originText, "origin-sha256": hash(originText, momentum) });
}

/** A checkpoint to predict with but not to go on from. @returns and @throws as `writeCheckpoint`. */
export function writeModel(path: string, model: Model): number {
  const { tensors, metadata } = describe(model);
  return write(path, tensors, metadata);
}

function describe(model: Model) {
  const { network, preprocessing, parameters } = model;
  const tensors = new Map<string, NamedTensor>();
  for (const parameter of parameterTable(network)) tensors.set(parameter.name, finite(parameter, parameters));
  const pictureSize = pictureSizeOf(preprocessing);
  tensors.set(MEAN, { shape: [pictureSize, pictureSize, 3], data: preprocessing.mean });
  return { tensors, metadata: { format: FORMAT, model: modelText(model), "model-sha256": modelHash(model) } };
}

function write(
  path: string,
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>>,
): number {
  const parts = encodeSafetensors(tensors, metadata);
  writeWhole(path, parts);
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function finite(parameter: Parameter, values: Float32Array): NamedTensor {
  const data = parameterView(values, parameter);
  if (!allFinite(data))
    throw new AlexnetError(
      "not-finite",
      `${parameter.name}: holds values that are not finite; no checkpoint was written`,
    );
  return { shape: parameter.shape, data };
}
