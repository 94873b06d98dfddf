import koffi, { type LibraryHandle } from "koffi";
import { AlexnetError } from "../../errors.js";

/** An address in this process: of an object of the library or of memory. */
export type Pointer = bigint;

/** What an operation's arguments are called in `dnnl_exec_arg_t`; the same in all versions. */
export const Argument = {
  src: 1,
  src1: 2,
  dst: 17,
  weights: 33,
  bias: 41,
  workspace: 64,
  scratchpad: 80,
  diffSrc: 129,
  diffDst: 145,
  diffWeights: 161,
  diffBias: 169,
  multipleSrc: 1024,
} as const;

/** Memory descriptors an operation can be asked for. */
export const Query = {
  src: 129,
  diffSrc: 130,
  weights: 131,
  diffWeights: 132,
  dst: 133,
  diffDst: 134,
  workspace: 135,
  scratchpad: 136,
} as const;

/** How numbers are stored: what the library calls it, in all versions, and the bytes that each takes. */
export const numberTypes = {
  float32: { code: 3, bytes: 4 },
  bfloat16: { code: 2, bytes: 2 },
} as const;
export type NumberType = keyof typeof numberTypes;

/** The bytes of so many values close together: `[batch, channels, height, width]` of float32 take 4 bytes each. */
export function denseBytes(dims: readonly number[], type: NumberType): number {
  return dims.reduce((product, n) => product * n, numberTypes[type].bytes);
}

/** Row-major in memory, column-major (of matrices), channels innermost (of maps), or the library's choice. */
export type Layout = "row-major" | "column-major" | "channels-last" | "any";

/** Winograd's takes fewer multiplications; the library has it for windows of 3 x 3 on some processors. */
export type ConvolutionAlgorithm = "direct" | "winograd";

/** `training` keeps what the backward operation needs. */
export interface ConvolutionSpec {
  readonly algorithm: ConvolutionAlgorithm;
  readonly src: Pointer;
  readonly weights: Pointer;
  readonly bias: Pointer;
  readonly dst: Pointer;
  readonly stride: number;
  readonly padding: number;
}
export interface InnerProductSpec {
  readonly src: Pointer;
  readonly weights: Pointer;
  readonly bias: Pointer;
  readonly dst: Pointer;
}
export interface PoolingSpec {
  readonly src: Pointer;
  readonly dst: Pointer;
  readonly size: number;
  readonly stride: number;
}
/** alpha as the library takes it: it divides by the window's number of values. */
export interface LrnSpec {
  readonly data: Pointer;
  /** Windows of n x n places in one map, not of n maps. */
  readonly withinMap: boolean;
  readonly n: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

export interface After {
  readonly relu: boolean;
  /** The result is added to what is there; no ReLU then. */
  readonly adds?: boolean;
}

/**
 * The library's operations, as far as they differ between its major versions: v2.ts and v3.ts fulfil this.
 * Each creates a primitive descriptor (the caller destroys it). Descriptor pointers may be shared between calls.
 */
export interface OperationBindings {
  descriptor(dims: readonly number[], layout: Layout, type: NumberType): Pointer;
  /** Strides in values. */
  strided(dims: readonly number[], strides: readonly number[], type: NumberType): Pointer;
  /** The part of `whole` that begins at `offsets`, at the same address. */
  part(whole: Pointer, dims: readonly number[], offsets: readonly number[]): Pointer;
  /** What comes after the operation, and a user-held scratchpad. */
  attributes(options: After): Pointer;
  convolutionForward(spec: ConvolutionSpec, training: boolean, attributes: Pointer): Pointer;
  convolutionBackwardData(spec: ConvolutionSpec, attributes: Pointer, hint: Pointer): Pointer;
  convolutionBackwardWeights(spec: ConvolutionSpec, attributes: Pointer, hint: Pointer): Pointer;
  innerProductForward(spec: InnerProductSpec, training: boolean, attributes: Pointer): Pointer;
  innerProductBackwardData(spec: InnerProductSpec, attributes: Pointer, hint: Pointer): Pointer;
  innerProductBackwardWeights(spec: InnerProductSpec, attributes: Pointer, hint: Pointer): Pointer;
  maxPoolForward(spec: PoolingSpec, training: boolean, attributes: Pointer): Pointer;
  maxPoolBackward(spec: PoolingSpec, attributes: Pointer, hint: Pointer): Pointer;
  lrnForward(spec: LrnSpec, training: boolean, attributes: Pointer): Pointer;
  lrnBackward(spec: LrnSpec, attributes: Pointer, hint: Pointer): Pointer;
  reluForward(data: Pointer, training: boolean, attributes: Pointer): Pointer;
  reluBackward(data: Pointer, diff: Pointer, attributes: Pointer, hint: Pointer): Pointer;
  matmul(a: Pointer, b: Pointer, c: Pointer, attributes: Pointer): Pointer;
  reorder(from: Pointer, to: Pointer, attributes: Pointer): Pointer;
  /** dst = sum of scales[i] * src_i, all of one descriptor; the first source may be dst itself. */
  sum(descriptor: Pointer, scales: readonly number[], attributes: Pointer): Pointer;
}

/** A native call that gives a status. */
// biome-ignore lint/suspicious/noExplicitAny: a foreign function takes what its C declaration says, which koffi checks when it is called.
export type StatusFunction = (...values: any[]) => number;

const statusTexts: readonly string[] = [
  "success",
  "out of memory",
  "invalid arguments",
  "not implemented for this case",
  "no further implementation",
  "run-time error",
  "not required",
];

const NOT_IMPLEMENTED = 3;

/** The library has no implementation of what was asked for. */
export class NotImplementedError extends AlexnetError {}

/** What `create` gives, or undefined where the library has no implementation of it. */
export function unlessNotImplemented<T>(create: () => T): T | undefined {
  try {
    return create();
  } catch (error) {
    if (error instanceof NotImplementedError) return undefined;
    throw error;
  }
}

/** Binds `name` so that every call's status is checked. @throws AlexnetError "engine" with the call and the status. */
export function bindChecked(
  library: LibraryHandle,
  name: string,
  args: readonly string[],
): (...values: unknown[]) => void {
  const call: StatusFunction = library.func(name, "int", [...args]);
  return (...values) => {
    const status = call(...values);
    if (status === 0) return;
    const text = `oneDNN: ${name}: ${statusTexts[status] ?? `status ${status}`}`;
    throw status === NOT_IMPLEMENTED ? new NotImplementedError("engine", text) : new AlexnetError("engine", text);
  };
}

/** Strides of `dims` without gaps. */
export function denseStrides(dims: readonly number[], layout: Exclude<Layout, "any">): BigInt64Array {
  const rowMajor = [...dims.keys()].reverse();
  const innermostFirst = {
    "row-major": rowMajor,
    "column-major": [...dims.keys()],
    "channels-last": [1, ...rowMajor.filter((i) => i !== 1)],
  }[layout];
  const strides = new BigInt64Array(dims.length);
  let stride = 1;
  for (const i of innermostFirst) {
    strides[i] = BigInt(stride);
    stride *= dims[i];
  }
  return strides;
}

/** Calls `create`, which writes a pointer to its first argument, and gives that pointer. */
export function created(create: (out: BigUint64Array) => void): Pointer {
  const out = new BigUint64Array(1);
  create(out);
  return out[0];
}

/** The calls that are the same in every major version. */
export interface CommonBindings {
  createEngine(): Pointer;
  createStream(engine: Pointer): Pointer;
  destroyStream(stream: Pointer): void;
  destroyEngine(engine: Pointer): void;
  createMemory(descriptor: Pointer, engine: Pointer, address: Pointer): Pointer;
  destroyMemory(memory: Pointer): void;
  createPrimitive(primitiveDescriptor: Pointer): Pointer;
  destroyPrimitive(primitive: Pointer): void;
  destroyPrimitiveDescriptor(primitiveDescriptor: Pointer): void;
  /** `args` is an array of dnnl_exec_arg_t: 16 bytes each. */
  execute(primitive: Pointer, stream: Pointer, count: number, args: Uint8Array): void;
  wait(stream: Pointer): void;
  equal(a: Pointer, b: Pointer): boolean;
  bytes(descriptor: Pointer): number;
  query(primitiveDescriptor: Pointer, what: number): Pointer;
  implementation(primitiveDescriptor: Pointer): string;
}

const IMPLEMENTATION_QUERY = 8;
const CPU = 1;
const IN_ORDER = 1;

export function bindCommon(library: LibraryHandle): CommonBindings {
  const bind = (name: string, ...args: string[]) => bindChecked(library, name, args);
  const engineCreate = bind("dnnl_engine_create", "void *", "int", "size_t");
  const engineDestroy = bind("dnnl_engine_destroy", "void *");
  const streamCreate = bind("dnnl_stream_create", "void *", "void *", "uint");
  const streamDestroy = bind("dnnl_stream_destroy", "void *");
  const memoryCreate = bind("dnnl_memory_create", "void *", "void *", "void *", "void *");
  const memoryDestroy = bind("dnnl_memory_destroy", "void *");
  const primitiveCreate = bind("dnnl_primitive_create", "void *", "void *");
  const primitiveDestroy = bind("dnnl_primitive_destroy", "void *");
  const descriptorDestroy = bind("dnnl_primitive_desc_destroy", "void *");
  const execute = bind("dnnl_primitive_execute", "void *", "void *", "int", "void *");
  const wait = bind("dnnl_stream_wait", "void *");
  const query = bind("dnnl_primitive_desc_query", "void *", "int", "int", "void *");
  const queryMemory: (...values: unknown[]) => Pointer = library.func("dnnl_primitive_desc_query_md", "void *", [
    "void *",
    "int",
    "int",
  ]);
  const equal: (...values: unknown[]) => number = library.func("dnnl_memory_desc_equal", "int", ["void *", "void *"]);
  const size: (...values: unknown[]) => number = library.func("dnnl_memory_desc_get_size", "size_t", ["void *"]);
  return {
    createEngine: () => created((out) => engineCreate(out, CPU, 0)),
    createStream: (engine) => created((out) => streamCreate(out, engine, IN_ORDER)),
    destroyStream: streamDestroy,
    destroyEngine: engineDestroy,
    createMemory: (descriptor, engine, address) => created((out) => memoryCreate(out, descriptor, engine, address)),
    destroyMemory: memoryDestroy,
    createPrimitive: (descriptor) => created((out) => primitiveCreate(out, descriptor)),
    destroyPrimitive: primitiveDestroy,
    destroyPrimitiveDescriptor: descriptorDestroy,
    execute,
    wait,
    equal: (a, b) => equal(a, b) !== 0,
    bytes: (descriptor) => Number(size(descriptor)),
    query: (descriptor, what) => queryMemory(descriptor, what, 0),
    implementation: (descriptor) => {
      const text = created((out) => query(descriptor, IMPLEMENTATION_QUERY, 0, out));
      return String(koffi.decode(text, "char", -1));
    },
  };
}
