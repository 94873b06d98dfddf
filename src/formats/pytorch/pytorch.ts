import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { AlexnetError } from "../../errors.js";
import { encodeDescription } from "../../model/description.js";
import type { Model, StoredTensor } from "../../model/model.js";
import { parameterTable, parameterView } from "../../network/parameters.js";
import { bytesOf, decodeNumbers, type NumberType } from "../../system/numbers.js";
import { enumerate } from "../../text.js";
import { namingOf } from "./naming.js";
import { Global, Placeholder, unpickle } from "./pickle.js";
import { encodeStateDict } from "./pickle-writer.js";
import type { StateDict } from "./state-dict.js";
import { encodeArchive, openArchive } from "./zip.js";

/**
 * What torch.save writes. Since PyTorch 1.6 a ZIP archive of stored files: `<any>/data.pkl` is a pickle that names
 * its tensors' storages, `<any>/data/<name>` holds each. Before: five pickles one after the other, then the storages.
 */

/** Where a model's description lies beside data.pkl; PyTorch leaves it aside. */
const DESCRIPTION = "alexnet.json";

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/** Bytes a value takes; types that can't be parameters are only stepped over. */
interface StorageType {
  /** Of one value. */
  readonly bytes: number;
  /** How floating-point numbers are written. */
  readonly type?: NumberType;
}

const storageTypes: Readonly<Record<string, StorageType>> = {
  "torch.HalfStorage": { bytes: 2, type: "float16" },
  "torch.BFloat16Storage": { bytes: 2, type: "bfloat16" },
  "torch.FloatStorage": { bytes: 4, type: "float32" },
  "torch.DoubleStorage": { bytes: 8, type: "float64" },
  "torch.ByteStorage": { bytes: 1 },
  "torch.CharStorage": { bytes: 1 },
  "torch.BoolStorage": { bytes: 1 },
  "torch.ShortStorage": { bytes: 2 },
  "torch.IntStorage": { bytes: 4 },
  "torch.LongStorage": { bytes: 8 },
};

/** Numbers in a row that tensors look at. */
class Storage {
  constructor(
    /** PyTorch's name of its type. */
    readonly kind: string,
    readonly type: StorageType,
    readonly key: string,
    readonly count: number,
  ) {}

  get byteLength(): number {
    return this.count * this.type.bytes;
  }
}

/** A view of a storage; all of its values lie within. */
class Tensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

type ReadStorage = (storage: Storage) => Uint8Array;

/**
 * The tensors of a state dict, or of a checkpoint that holds one. Nothing in the file is carried out: see pickle.ts.
 * @throws AlexnetError "damaged-file" naming the file, "unsupported" naming what it asks for that isn't data.
 */
export async function openPytorch(path: string): Promise<StateDict> {
  return startsLikeArchive(path) ? openZipped(path) : openLegacy(path);
}

function startsLikeArchive(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(4);
    return readSync(file, start, 0, 4, 0) === 4 && start.readUInt32BE() === 0x504b0304;
  } finally {
    closeSync(file);
  }
}

async function openZipped(path: string): Promise<StateDict> {
  const archive = await openArchive(path);
  try {
    if ([...archive.sizes.keys()].some((name) => /^[^/]+\/code\//.test(name)))
      throw new AlexnetError("unsupported", `${path}: is TorchScript, a program; save model.state_dict() of the model`);
    const pickles = [...archive.sizes.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
    const [pickle, ...others] = pickles;
    if (pickle === undefined || others.length > 0)
      throw broken(path, `has ${pickles.length} files data.pkl; torch.save writes one`);
    const folder = pickle.slice(0, -"data.pkl".length);
    const text = (name: string): string | undefined =>
      archive.sizes.has(folder + name) ? Buffer.from(archive.read(folder + name)).toString() : undefined;
    if ((text("byteorder") ?? "little") !== "little") throw broken(path, "was written on a big-endian machine");
    const { value } = unpickle(archive.read(pickle), { globals, persistent: toStorage }, `${path}: data.pkl`);
    const read: ReadStorage = ({ key, byteLength }) => {
      const bytes = archive.read(`${folder}data/${key}`);
      if (bytes.length !== byteLength) throw broken(path, `data/${key} is ${bytes.length} bytes, not ${byteLength}`);
      return bytes;
    };
    return { ...findStateDict(value, read, path), description: text(DESCRIPTION), close: archive.close };
  } catch (error) {
    archive.close();
    throw error;
  }
}

function openLegacy(path: string): StateDict {
  const bytes = readFileSync(path);
  const storages = new Map<string, Storage>();
  let position = 0;
  const persistent = (id: unknown): Storage | Placeholder => {
    const storage = toStorage(id);
    if (storage instanceof Storage) storages.set(storage.key, storage);
    return storage;
  };
  const next = (what: string): unknown => {
    const { value, end } = unpickle(bytes, { globals, persistent }, `${path}: ${what}`, position);
    position = end;
    return value;
  };
  if (next("its first pickle") !== LEGACY_MAGIC) throw broken(path, "is no file of torch.save");
  if (next("its protocol") !== LEGACY_PROTOCOL)
    throw broken(path, `is not of torch.save's protocol ${LEGACY_PROTOCOL}`);
  const system = next("its system");
  if (!(system instanceof Map) || system.get("little_endian") !== true)
    throw broken(path, "was written on a big-endian machine");
  const value = next("its state dict");
  const keys = next("its list of storages");
  if (!Array.isArray(keys)) throw broken(path, "has no list of storages");

  const starts = new Map<string, number>();
  for (const key of keys) {
    const storage = storages.get(key);
    if (storage === undefined) throw broken(path, "lists a storage that no tensor has");
    const start = position + 8; // after its count of values
    position = start + storage.byteLength;
    if (position > bytes.length || bytes.readBigInt64LE(start - 8) !== BigInt(storage.count))
      throw broken(path, `has not all of storage ${storage.key}`);
    starts.set(storage.key, start);
  }
  const read: ReadStorage = ({ key, byteLength }) => {
    const start = starts.get(key);
    if (start === undefined) throw broken(path, `has no storage ${key}`);
    return bytes.subarray(start, start + byteLength);
  };
  return { ...findStateDict(value, read, path), description: undefined, close: () => {} };
}

/** The usual names under which training scripts keep a state dict, in the order of preference. */
const usualKeys = ["state_dict", "model_state_dict", "model"];

interface Found {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly unread: ReadonlyMap<string, string>;
}

/** The tensors of a file's state dict, and what of it can't be read. */
function findStateDict(value: unknown, read: ReadStorage, path: string): Found {
  let latest: { readonly storage: Storage; readonly bytes: Uint8Array } | undefined;
  const readOnce: ReadStorage = (storage) => {
    if (latest?.storage !== storage) latest = { storage, bytes: read(storage) };
    return latest.bytes;
  };
  const tensors = new Map<string, StoredTensor>();
  const unread = new Map<string, string>();
  for (const [name, tensor] of chooseDict(value, path))
    if (typeof name !== "string") continue;
    else if (tensor instanceof Tensor) tensors.set(name, stored(name, tensor, readOnce, path));
    else if (tensor instanceof Placeholder) unread.set(name, `an object of ${tensor.name}`);
  return { tensors, unread };
}

/** The dict of tensors in a file: one by a usual name, or the file's value itself, or the only one there is. */
function chooseDict(value: unknown, path: string): ReadonlyMap<unknown, unknown> {
  if (value instanceof Placeholder)
    throw new AlexnetError(
      "unsupported",
      `${path}: holds an object of ${value.name}; only tensors and plain containers are read: save model.state_dict()`,
    );
  const whole: ReadonlyMap<unknown, unknown> = value instanceof Map ? value : new Map();
  const dicts = new Map<unknown, ReadonlyMap<unknown, unknown>>();
  for (const [name, inner] of whole) if (inner instanceof Map && hasTensors(inner)) dicts.set(name, inner);
  for (const key of usualKeys) {
    const usual = dicts.get(key);
    if (usual !== undefined) return usual;
  }
  if (hasTensors(whole)) return whole;
  const [only, ...others] = dicts.values();
  if (only === undefined) throw withoutStateDict([...whole], path);
  if (others.length === 0) return only;
  throw new AlexnetError(
    "unsupported",
    `${path}: holds several dicts of tensors (${[...dicts.keys()].map(String).join(", ")}); save one of them alone`,
  );
}

function hasTensors(dict: ReadonlyMap<unknown, unknown>): boolean {
  return [...dict.values()].some((value) => value instanceof Tensor);
}

function withoutStateDict(entries: readonly (readonly [unknown, unknown])[], path: string): AlexnetError {
  const objects = entries.flatMap(([name, value]) =>
    value instanceof Placeholder ? [`${String(name)} is an object of ${value.name}`] : [],
  );
  const keys = entries.map(([name]) => String(name));
  const held = objects.length > 0 ? objects : keys.length > 0 ? [`its keys are ${enumerate(keys, 8)}`] : [];
  return new AlexnetError(
    "unsupported",
    `${path}: holds no state dict${held.length > 0 ? ` (${held.slice(0, 3).join("; ")})` : ""}; ` +
      "save model.state_dict(), not the model itself",
  );
}

function stored(
  name: string,
  { storage, offset, shape, strides }: Tensor,
  read: ReadStorage,
  path: string,
): StoredTensor {
  return {
    shape,
    readInto(into) {
      const { type, bytes: size } = storage.type;
      if (type === undefined) throw broken(path, `${name} is made of ${storage.kind}, not of floating-point numbers`);
      const bytes = read(storage);
      if (isContiguous(shape, strides)) {
        decodeNumbers(bytes.subarray(offset * size, (offset + into.length) * size), type, into);
        return;
      }
      const all = new Float32Array(storage.count);
      decodeNumbers(bytes, type, all);
      into.forEach((_, i) => {
        into[i] = all[offset + placeOf(i, shape, strides)] ?? Number.NaN;
      });
    },
  };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (const [axis, length] of [...shape.entries()].reverse()) {
    if (length !== 1 && strides[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}

/** Where the i-th value of a tensor, row-major, lies behind its offset. */
function placeOf(i: number, shape: readonly number[], strides: readonly number[]): number {
  let place = 0;
  for (const [axis, length] of [...shape.entries()].reverse()) {
    place += (i % length) * (strides[axis] ?? 0);
    i = Math.floor(i / length);
  }
  return place;
}

/** ("storage", type, key, device, count), in old files with a sixth that is None; of a type not known here, a placeholder. */
function toStorage(id: unknown): Storage | Placeholder {
  const [tag, kind, key, , count, view = null] = Array.isArray(id) ? id : [];
  if (tag === "storage" && kind instanceof Placeholder) return kind;
  const name = kind instanceof Global && Object.hasOwn(storageTypes, kind.name) ? kind.name : "";
  const type = storageTypes[name];
  if (tag !== "storage" || type === undefined || typeof key !== "string" || !isCount(count) || view !== null)
    throw new AlexnetError("unsupported", "a tensor's storage is described in an unknown way");
  return new Storage(name, type, key, count);
}

/** (storage, offset, shape, strides, …) */
function rebuildTensor([storage, offset, shape, strides]: readonly unknown[]): Tensor | Placeholder {
  if (storage instanceof Placeholder) return storage;
  if (!(storage instanceof Storage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides))
    throw new AlexnetError("unsupported", "a tensor is described in an unknown way");
  const count = shape.reduce((a, b) => a * b, 1);
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? Number.NaN), offset);
  if (count > storage.count || !(count === 0 || last < storage.count))
    throw new AlexnetError(
      "damaged-file",
      `a tensor of ${shape.join("x")} values reaches over its storage of ${storage.count}`,
    );
  return new Tensor(storage, offset, shape, strides);
}

function orderedDict([items = []]: readonly unknown[]): Map<unknown, unknown> {
  if (!Array.isArray(items) || !items.every((item) => Array.isArray(item) && item.length === 2))
    throw new AlexnetError("damaged-file", "an OrderedDict is made of what are no pairs");
  return new Map(items);
}

const globals: ReadonlyMap<string, Global> = new Map(
  [
    new Global("collections.OrderedDict", orderedDict),
    new Global("torch._utils._rebuild_tensor", rebuildTensor),
    new Global("torch._utils._rebuild_tensor_v2", rebuildTensor),
    new Global("torch._utils._rebuild_parameter", ([tensor]) => tensor),
    new Global("torch.Size", ([sizes]) => sizes),
    new Global("collections.defaultdict", () => new Map()),
    new Global("collections.Counter", ([counts = new Map()]) => counts),
    ...Object.keys(storageTypes).map((name) => new Global(name)),
  ].map((global) => [global.name, global]),
);

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}

function broken(path: string, what: string): AlexnetError {
  return new AlexnetError("damaged-file", `${path}: ${what}`);
}

/**
 * The bytes of a file that `torch.load(path, weights_only=True)` reads as a state dict, with torchvision's names where
 * the network is its own. What else a model has lies beside, where PyTorch doesn't look.
 */
export async function encodePytorch(model: Model): Promise<readonly Uint8Array[]> {
  const naming = namingOf(model.network);
  const table = parameterTable(model.network);
  const files = new Map<string, Uint8Array>();
  const text = new TextEncoder();
  const tensors = table.map((parameter, i) => ({
    name: naming.parameter(parameter),
    key: String(i),
    shape: parameter.shape,
    count: parameter.count,
  }));
  files.set("alexnet/data.pkl", encodeStateDict(tensors));
  files.set("alexnet/byteorder", text.encode("little"));
  files.set(`alexnet/${DESCRIPTION}`, text.encode(encodeDescription(model)));
  table.forEach((parameter, i) => {
    files.set(`alexnet/data/${i}`, bytesOf(parameterView(model.parameters, parameter)));
  });
  files.set("alexnet/version", text.encode("3\n"));
  return encodeArchive(files);
}
