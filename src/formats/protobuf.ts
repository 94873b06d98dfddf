import protobuf from "protobufjs";
import { AlexnetError } from "../errors.js";

/** Reads and writes one kind of protobuf message. */
export interface Codec<T> {
  /**
   * All fields are there: those the file leaves out have the schema's default, messages null, lists are empty.
   * `bytes` fields are views of the file's own memory.
   * @throws AlexnetError "damaged-file" naming the file when its bytes are no such message
   */
  decode(bytes: Uint8Array, path: string): T;
  encode(message: object): Uint8Array;
}

/**
 * @param schema in the .proto language; `T` must say what it says
 * @param format the message's name in errors
 */
export function codec<T>(schema: string, message: string, format: string): Codec<T> {
  let type: protobuf.Type | undefined;
  const parsed = (): protobuf.Type => {
    type ??= protobuf.parse(schema, { keepCase: true }).root.lookupType(message);
    return type;
  };
  return {
    decode(bytes, path) {
      try {
        const decoded = parsed().decode(bytes);
        return parsed().toObject(decoded, { longs: Number, defaults: true, arrays: true, objects: true }) as T;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new AlexnetError("damaged-file", `${path}: not a whole ${format} file: ${why}`, { cause: error });
      }
    },
    encode: (value) => parsed().encode(value).finish(),
  };
}

/** A packed `repeated float` field, read as `repeated bytes`: the same on the wire, and not unpacked value by value. */
export type PackedFloats = readonly Uint8Array[];
