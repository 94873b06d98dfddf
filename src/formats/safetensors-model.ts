import { encodeDescription } from "../model/description.js";
import type { Model, StoredTensor } from "../model/model.js";
import { parameterTable, parameterView } from "../network/parameters.js";
import { namingOf } from "./pytorch/naming.js";
import type { StateDict } from "./pytorch/state-dict.js";
import { encodeSafetensors, type NamedTensor, openSafetensors } from "./safetensors.js";

/** The key of a model's description in the metadata. */
const DESCRIPTION = "alexnet";

/** The tensors of a safetensors file as a state dict. @throws AlexnetError "damaged-file" naming the file. */
export function openTensors(path: string): StateDict {
  const file = openSafetensors(path);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shape] of file.shapes) {
    tensors.set(name, { shape, readInto: (into) => file.readFloats(name, into) });
  }
  return { tensors, unread: new Map(), description: file.metadata[DESCRIPTION], close: file.close };
}

/** The bytes of a safetensors file of exactly the parameters, named as a state dict; all else is in its metadata. */
export function encodeTensors(model: Model): readonly Uint8Array[] {
  const naming = namingOf(model.network);
  const tensors = new Map<string, NamedTensor>();
  for (const parameter of parameterTable(model.network))
    tensors.set(naming.parameter(parameter), {
      shape: parameter.shape,
      data: parameterView(model.parameters, parameter),
    });
  return encodeSafetensors(tensors, { format: "pt", [DESCRIPTION]: encodeDescription(model) });
}
