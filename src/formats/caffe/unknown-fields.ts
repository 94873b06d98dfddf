import protobuf from "protobufjs";

/**
 * What a caffemodel's layers say that the schema doesn't know: protobuf drops it unseen, and with it a slope, a scale or a
 * window that changes what the layer computes.
 */

/** Fields of messages by their numbers; null where anything may stand in them. */
interface Known {
  readonly [field: number]: Known | null;
}

const all = (...fields: readonly number[]): Known => Object.fromEntries(fields.map((field) => [field, null]));

// With what only training and the choice of an implementation read: fillers, engine, force_nd_im2col.
const convolution = all(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18);
const dropout = all(1);
const innerProduct = all(1, 2, 3, 4, 5, 6);
const norm = all(1, 2, 3, 4, 5, 6);
const pooling = all(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
const relu = all(1, 2);

/** Layers' own fields: names, connections, blobs, rules of training, and the parameters of the types that are read. */
const layer: Known = {
  ...all(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 100, 101, 143),
  106: convolution,
  108: dropout,
  117: innerProduct,
  118: norm,
  121: pooling,
  123: relu,
};

/** The same in files of before 2014. */
const layer2013: Known = {
  ...all(2, 3, 4, 5, 6, 7, 8, 32, 33, 35, 36, 42, 1001, 1002),
  10: convolution,
  11: null,
  12: dropout,
  17: innerProduct,
  18: norm,
  19: pooling,
  30: relu,
};

const LAYERS_2013 = 2;
const LAYERS = 100;

/** By layer, in the file's order: the numbers of unknown fields, outer ones first, such as "106.19". */
export function unknownFields(net: Uint8Array): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  for (const { field, bytes } of fieldsOf(net))
    if (bytes !== undefined && (field === LAYERS || field === LAYERS_2013))
      found.push(unknownIn(bytes, field === LAYERS ? layer : layer2013));
  return found;
}

function unknownIn(message: Uint8Array, known: Known): readonly string[] {
  return fieldsOf(message).flatMap(({ field, bytes }) => {
    if (!Object.hasOwn(known, field)) return [String(field)];
    const inner = known[field];
    return inner == null || bytes === undefined ? [] : unknownIn(bytes, inner).map((deeper) => `${field}.${deeper}`);
  });
}

const LENGTH_DELIMITED = 2; // the wire type of messages, texts and packed numbers

function fieldsOf(message: Uint8Array): readonly { readonly field: number; readonly bytes?: Uint8Array }[] {
  const reader = protobuf.Reader.create(message);
  const fields: { readonly field: number; readonly bytes?: Uint8Array }[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if ((tag & 7) === LENGTH_DELIMITED) fields.push({ field: tag >>> 3, bytes: reader.bytes() });
    else {
      reader.skipType(tag & 7);
      fields.push({ field: tag >>> 3 });
    }
  }
  return fields;
}
