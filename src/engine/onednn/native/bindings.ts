import { AlexnetError } from "../../../errors.js";
import type { NativeLibrary } from "../../../system/native/library.js";
import { type Pointer, textAt, writtenPointer } from "../../../system/native/memory.js";
import { type Handle, type NativeObject, type Owner, partOf } from "../../../system/native/objects.js";
import type { CheckedFunctions, NativeFunctions } from "../../../system/native/signatures.js";
import type { NumberType } from "../arithmetic.js";
import { commonAnswers, commonCalls, DNNL } from "./signatures.js";

/** How values lie in memory: dimensions, strides, number type. */
export type Descriptor = Handle<"memory descriptor">;
/** An operation that the library has an implementation of. */
export type PrimitiveDescriptor = Handle<"primitive descriptor">;
/** What comes after an operation, and where it has its scratch memory. */
export type Attributes = Handle<"attributes">;
/** An operation that is ready to run. */
export type Primitive = Handle<"primitive">;
/** A descriptor with an address: what an operation reads or writes. */
export type Memory = Handle<"memory">;
export type DnnlEngine = Handle<"engine">;
export type Stream = Handle<"stream">;

/** What an operation's arguments are called in `dnnl_exec_arg_t`. */
export const Argument = {
  src: DNNL.DNNL_ARG_SRC,
  src1: DNNL.DNNL_ARG_SRC_1,
  dst: DNNL.DNNL_ARG_DST,
  weights: DNNL.DNNL_ARG_WEIGHTS,
  bias: DNNL.DNNL_ARG_BIAS,
  workspace: DNNL.DNNL_ARG_WORKSPACE,
  scratchpad: DNNL.DNNL_ARG_SCRATCHPAD,
  diffSrc: DNNL.DNNL_ARG_DIFF_SRC,
  diffDst: DNNL.DNNL_ARG_DIFF_DST,
  diffWeights: DNNL.DNNL_ARG_DIFF_WEIGHTS,
  diffBias: DNNL.DNNL_ARG_DIFF_BIAS,
  multipleSrc: DNNL.DNNL_ARG_MULTIPLE_SRC,
} as const;

/** Memory descriptors an operation can be asked for. */
export const Query = {
  src: DNNL.dnnl_query_src_md,
  diffSrc: DNNL.dnnl_query_diff_src_md,
  weights: DNNL.dnnl_query_weights_md,
  diffWeights: DNNL.dnnl_query_diff_weights_md,
  dst: DNNL.dnnl_query_dst_md,
  diffDst: DNNL.dnnl_query_diff_dst_md,
  workspace: DNNL.dnnl_query_workspace_md,
  scratchpad: DNNL.dnnl_query_scratchpad_md,
} as const;

/** How numbers are stored: what the library calls it, in all versions, and the bytes that each takes. */
export const numberTypes = {
  float32: { code: DNNL.dnnl_f32, bytes: 4 },
  bfloat16: { code: DNNL.dnnl_bf16, bytes: 2 },
  byte: { code: DNNL.dnnl_u8, bytes: 1 },
} as const satisfies Readonly<Record<NumberType, { readonly code: number; readonly bytes: number }>>;

/** The type that the library gives this code; "byte" for memory of its own, whatever it holds there. */
export function numberTypeOf(code: number): NumberType {
  for (const type of ["float32", "bfloat16"] as const) if (numberTypes[type].code === code) return type;
  return "byte";
}

/** The bytes of so many values close together: `[batch, channels, height, width]` of float32 take 4 bytes each. */
export function denseBytes(dims: readonly number[], type: NumberType): number {
  return dims.reduce((product, n) => product * n, numberTypes[type].bytes);
}

/** Row-major in memory, column-major (of matrices), channels innermost (of maps). */
export type StridedLayout = "row-major" | "column-major" | "channels-last";
/** The same, sixteen channels together (of maps), or the library's choice. */
export type Layout = StridedLayout | "channels-by-16" | "any";

/** Winograd's takes fewer multiplications; the library has it for windows of 3 x 3 on some processors. */
export type ConvolutionAlgorithm = "direct" | "winograd";

/** `training` keeps what the backward operation needs. */
export interface ConvolutionSpec {
  readonly algorithm: ConvolutionAlgorithm;
  readonly src: Descriptor;
  readonly weights: Descriptor;
  readonly bias: Descriptor;
  readonly dst: Descriptor;
  readonly stride: number;
  readonly padding: number;
}
export interface InnerProductSpec {
  readonly src: Descriptor;
  readonly weights: Descriptor;
  readonly bias: Descriptor;
  readonly dst: Descriptor;
}
export interface PoolingSpec {
  readonly takes: "max" | "average";
  readonly src: Descriptor;
  readonly dst: Descriptor;
  readonly size: number;
  readonly stride: number;
}
/** A function of each value. */
export type Pointwise = "relu" | "tanh";
/** Windows of n maps. alpha as the library takes it: it divides by the window's number of values. */
export interface LrnSpec {
  readonly data: Descriptor;
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
 * The library's operations, as far as they differ between its major versions: v2.ts and v3.ts fulfil this. All that
 * these create belongs to the owner that they were bound for, and is destroyed with it.
 */
export interface OperationBindings {
  descriptor(dims: readonly number[], layout: Layout, type: NumberType): Descriptor;
  /** Strides in values. */
  strided(dims: readonly number[], strides: readonly number[], type: NumberType): Descriptor;
  /** How the memory's numbers are stored. */
  numberType(descriptor: Descriptor): NumberType;
  /** The part of `whole` that begins at `offsets`, at the same address. */
  part(whole: Descriptor, dims: readonly number[], offsets: readonly number[]): Descriptor;
  /** What comes after the operation, and a user-held scratchpad. */
  attributes(options: After): Attributes;
  convolutionForward(spec: ConvolutionSpec, training: boolean, attributes: Attributes): PrimitiveDescriptor;
  convolutionBackwardData(
    spec: ConvolutionSpec,
    attributes: Attributes,
    forward: PrimitiveDescriptor,
  ): PrimitiveDescriptor;
  convolutionBackwardWeights(
    spec: ConvolutionSpec,
    attributes: Attributes,
    forward: PrimitiveDescriptor,
  ): PrimitiveDescriptor;
  innerProductForward(spec: InnerProductSpec, training: boolean, attributes: Attributes): PrimitiveDescriptor;
  innerProductBackwardData(
    spec: InnerProductSpec,
    attributes: Attributes,
    forward: PrimitiveDescriptor,
  ): PrimitiveDescriptor;
  innerProductBackwardWeights(
    spec: InnerProductSpec,
    attributes: Attributes,
    forward: PrimitiveDescriptor,
  ): PrimitiveDescriptor;
  poolForward(spec: PoolingSpec, training: boolean, attributes: Attributes): PrimitiveDescriptor;
  poolBackward(spec: PoolingSpec, attributes: Attributes, forward: PrimitiveDescriptor): PrimitiveDescriptor;
  lrnForward(spec: LrnSpec, training: boolean, attributes: Attributes): PrimitiveDescriptor;
  lrnBackward(spec: LrnSpec, attributes: Attributes, forward: PrimitiveDescriptor): PrimitiveDescriptor;
  pointwiseForward(what: Pointwise, data: Descriptor, training: boolean, attributes: Attributes): PrimitiveDescriptor;
  pointwiseBackward(
    what: Pointwise,
    data: Descriptor,
    diff: Descriptor,
    attributes: Attributes,
    forward: PrimitiveDescriptor,
  ): PrimitiveDescriptor;
  matmul(a: Descriptor, b: Descriptor, c: Descriptor, attributes: Attributes): PrimitiveDescriptor;
  reorder(from: Descriptor, to: Descriptor, attributes: Attributes): PrimitiveDescriptor;
  /** dst = sum of scales[i] * src_i, all of one descriptor; the first source may be dst itself. */
  sum(descriptor: Descriptor, scales: readonly number[], attributes: Attributes): PrimitiveDescriptor;
}

/** What operations are bound for: all that they create belongs to `owner`. */
export interface Context {
  readonly engine: DnnlEngine;
  readonly owner: Owner;
  readonly common: CommonFunctions;
}

/** Creates a primitive descriptor that belongs to the context's owner. */
export function ownDescriptor(
  { owner, common }: Context,
  create: (out: BigUint64Array) => void,
): NativeObject<"primitive descriptor"> {
  return owner.create("primitive descriptor", create, common.dnnl_primitive_desc_destroy);
}

/** Creates attributes with a user-held scratchpad; `append` adds what comes after the operation. */
export function ownAttributes(
  { owner, common }: Context,
  append: ((operations: Pointer) => void) | undefined,
): Attributes {
  const attributes = owner.create("attributes", common.dnnl_primitive_attr_create, common.dnnl_primitive_attr_destroy);
  common.dnnl_primitive_attr_set_scratchpad_mode(attributes, DNNL.dnnl_scratchpad_mode_user);
  if (append === undefined) return attributes;
  const operations = owner.create("post-operations", common.dnnl_post_ops_create, common.dnnl_post_ops_destroy);
  append(operations.address);
  common.dnnl_primitive_attr_set_post_ops(attributes, operations); // which copies them
  operations.close();
  return attributes;
}

const statusTexts: Readonly<Record<number, string>> = {
  [DNNL.dnnl_out_of_memory]: "out of memory",
  [DNNL.dnnl_invalid_arguments]: "invalid arguments",
  [DNNL.dnnl_unimplemented]: "not implemented for this case",
  4: "no further implementation",
  [DNNL.dnnl_runtime_error]: "run-time error",
  [DNNL.dnnl_not_required]: "not required",
};

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

/** @throws AlexnetError "memory" or "engine" with the function and the status, when that is not success */
export function checkStatus(status: number, name: string): void {
  if (status === DNNL.dnnl_success) return;
  const text = `oneDNN: ${name}: ${statusTexts[status] ?? `status ${status}`}`;
  if (status === DNNL.dnnl_unimplemented) throw new NotImplementedError("engine", text);
  throw new AlexnetError(status === DNNL.dnnl_out_of_memory ? "memory" : "engine", text);
}

/** Strides of `dims` without gaps. */
export function denseStrides(dims: readonly number[], layout: StridedLayout): BigInt64Array {
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

/** `dnnl_dims_t`: lengths, strides or offsets. */
export function dimensions(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, BigInt);
}

/** The same along height and width. */
export function square(value: number): BigInt64Array {
  return dimensions([value, value]);
}

export function propagation(training: boolean): number {
  return training ? DNNL.dnnl_forward_training : DNNL.dnnl_forward_inference;
}

export const convolutionAlgorithms = {
  direct: DNNL.dnnl_convolution_direct,
  winograd: DNNL.dnnl_convolution_winograd,
} as const satisfies Record<ConvolutionAlgorithm, number>;

export const poolingAlgorithms = {
  max: DNNL.dnnl_pooling_max,
  average: DNNL.dnnl_pooling_avg_exclude_padding,
} as const satisfies Record<PoolingSpec["takes"], number>;

export type CommonFunctions = CheckedFunctions<typeof commonCalls> & NativeFunctions<typeof commonAnswers>;

export function bindFunctions(library: NativeLibrary): CommonFunctions {
  return { ...library.bindChecked(commonCalls, checkStatus), ...library.bind(commonAnswers) };
}

/** The calls that are the same in every major version. What they create belongs to the owner they were bound for. */
export interface CommonBindings {
  createMemory(descriptor: Descriptor, address: Pointer): Memory;
  createPrimitive(primitiveDescriptor: PrimitiveDescriptor): Primitive;
  execute(primitive: Primitive, args: MemoryArguments): void;
  /** Until all that was executed is done. */
  wait(): void;
  equal(a: Descriptor, b: Descriptor): boolean;
  bytes(descriptor: Descriptor): number;
  /** Undefined where the operation has no such memory. It is part of the primitive descriptor. */
  query(primitiveDescriptor: PrimitiveDescriptor, what: number): Descriptor | undefined;
  /** "jit:avx2" */
  implementation(primitiveDescriptor: PrimitiveDescriptor): string;
}

export type Bindings = CommonBindings & OperationBindings;

export function bindCommon({ engine, owner, common }: Context, stream: Stream): CommonBindings {
  return {
    createMemory: (descriptor, address) =>
      owner.create(
        "memory",
        (out) => common.dnnl_memory_create(out, descriptor, engine, address),
        common.dnnl_memory_destroy,
      ),
    createPrimitive: (descriptor) =>
      owner.create("primitive", (out) => common.dnnl_primitive_create(out, descriptor), common.dnnl_primitive_destroy),
    execute: (primitive, args) => common.dnnl_primitive_execute(primitive, stream, args.count, args.packed),
    wait: () => common.dnnl_stream_wait(stream),
    equal: (a, b) => common.dnnl_memory_desc_equal(a, b) !== 0,
    bytes: (descriptor) => Number(common.dnnl_memory_desc_get_size(descriptor)),
    query(descriptor, what) {
      const address = common.dnnl_primitive_desc_query_md(descriptor, what, 0);
      return address === null ? undefined : partOf(descriptor, "memory descriptor", address);
    },
    implementation: (descriptor) =>
      textAt(
        writtenPointer((out) => common.dnnl_primitive_desc_query(descriptor, DNNL.dnnl_query_impl_info_str, 0, out)),
      ),
  };
}

/** What an operation reads and writes, as an array of dnnl_exec_arg_t: int, 4 bytes of padding, pointer. */
export class MemoryArguments {
  readonly #memories: readonly Memory[];
  readonly #packed: Uint8Array;

  constructor(args: readonly (readonly [argument: number, memory: Memory])[]) {
    const packed = new DataView(new ArrayBuffer(16 * args.length));
    args.forEach(([argument, memory], i) => {
      packed.setInt32(16 * i, argument, true);
      packed.setBigUint64(16 * i + 8, memory.address, true);
    });
    this.#memories = args.map(([, memory]) => memory);
    this.#packed = new Uint8Array(packed.buffer);
  }

  get count(): number {
    return this.#memories.length;
  }

  /** @throws AlexnetError "closed" once one of the memories is closed */
  get packed(): Uint8Array {
    for (const memory of this.#memories) void memory.address;
    return this.#packed;
  }
}

export function packArguments(args: readonly (readonly [argument: number, memory: Memory])[]): MemoryArguments {
  return new MemoryArguments(args);
}
