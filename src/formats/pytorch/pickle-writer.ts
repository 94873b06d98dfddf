/** A contiguous float32 tensor that fills a storage of its own. */
export interface PickledTensor {
  readonly name: string;
  /** Of the storage, in the archive. */
  readonly key: string;
  readonly shape: readonly number[];
  readonly count: number;
}

const PROTOCOL_2 = [0x80, 2];
const MARK = 0x28;
const STOP = 0x2e;
const EMPTY_TUPLE = 0x29;
const TUPLE = 0x74;
const REDUCE = 0x52;
const PERSISTENT_ID = 0x51;
const SET_ITEMS = 0x75;
const FALSE = 0x89;

/** The pickle of an OrderedDict of tensors, as torch.save writes a state dict. */
export function encodeStateDict(tensors: readonly PickledTensor[]): Uint8Array {
  const items = tensors.flatMap(({ name, key, shape, count }) => [
    ...unicode(name),
    ...global("torch._utils", "_rebuild_tensor_v2"),
    MARK,
    ...[MARK, ...unicode("storage"), ...global("torch", "FloatStorage"), ...unicode(key), ...unicode("cpu")],
    ...[...integer(count), TUPLE, PERSISTENT_ID],
    ...integer(0), // offset
    ...tuple(shape),
    ...tuple(shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))),
    FALSE, // needs no gradient
    ...emptyOrderedDict, // has no hooks
    TUPLE,
    REDUCE,
  ]);
  return Uint8Array.from([...PROTOCOL_2, ...emptyOrderedDict, MARK, ...items, SET_ITEMS, STOP]);
}

const emptyOrderedDict = [...global("collections", "OrderedDict"), EMPTY_TUPLE, REDUCE];

function global(module: string, name: string): readonly number[] {
  return [0x63, ...Buffer.from(`${module}\n${name}\n`)];
}

function unicode(text: string): readonly number[] {
  const bytes = Buffer.from(text);
  return [0x58, ...littleEndian(bytes.length), ...bytes];
}

/** Below 2^31. */
function integer(value: number): readonly number[] {
  return [0x4a, ...littleEndian(value)];
}

function tuple(values: readonly number[]): readonly number[] {
  return [MARK, ...values.flatMap(integer), TUPLE];
}

function littleEndian(value: number): readonly number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}
