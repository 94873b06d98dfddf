import { addressOf, type Pointer } from "../../system/native/memory.js";
import { type Block, emptyBlock } from "../program/blocks.js";
import { type Operation, type OperationInfo, OperationList, type Phase, type Prepare } from "../program/operations.js";
import type { Arithmetic, NumberType } from "./arithmetic.js";
import { type Arena, allocateArena } from "./native/arena.js";
import {
  Argument,
  type Attributes,
  type Descriptor,
  denseBytes,
  type Layout,
  type Memory,
  type PrimitiveDescriptor,
  packArguments,
  Query,
  unlessNotImplemented,
} from "./native/bindings.js";
import type { Library, Scope } from "./native/library.js";
import type { Constants, KernelName } from "./rows/kernels.js";
import type { Place } from "./rows/memory.js";
import type { PreparedRows } from "./rows/team.js";

const ALIGNMENT = 64; // bytes: a cache line, and the widest vector register

/** Values in one of the library's layouts. */
export interface Tensor {
  readonly descriptor: Descriptor;
  readonly type: NumberType;
  readonly bytes: number;
  readonly block: Block;
  /** Byte offset in the block. */
  readonly offset: number;
}

export type Arguments = readonly (readonly [argument: number, tensor: Tensor])[];

interface Work {
  readonly implementation: string;
  readonly prepare: Prepare;
}

/** An operation over rows; see `Build.rows`. */
export interface RowWork<K extends KernelName> {
  readonly kernel: K;
  readonly rows: number;
  readonly constants: (place: (tensor: Tensor) => Place) => Constants<K>;
  readonly begin?: () => void;
  readonly end?: () => void;
}

/**
 * Puts a program together: operations in the order they will run, and the memory between them. Tensors whose lives
 * don't meet share memory. After `finish` nothing is allocated any more.
 */
export class Build {
  readonly #list = new OperationList<Tensor, Work>(ALIGNMENT);
  /** Blocks outside of the arena. */
  readonly #shared = new Map<Block, Uint8Array<SharedArrayBuffer>>();
  readonly #plain: Attributes;
  readonly #prepared: PreparedRows[] = [];
  #arena: Arena | undefined;

  /** The library for this program: what its bindings create is destroyed with the program. */
  readonly library: Scope;

  constructor(
    library: Library | Scope,
    readonly arithmetic: Arithmetic,
  ) {
    this.library = library.scope();
    this.#plain = this.library.bindings.attributes({ relu: false });
  }

  get attributes(): Attributes {
    return this.#plain;
  }

  /** How activations and the weights in products are stored. */
  get type(): NumberType {
    return this.arithmetic.type;
  }

  descriptor(dims: readonly number[], layout: Layout, type = this.type): Descriptor {
    return this.library.bindings.descriptor(dims, layout, type);
  }

  tensor(descriptor: Descriptor, options: { readonly kept?: boolean } = {}): Tensor {
    const { bindings } = this.library;
    const bytes = bindings.bytes(descriptor);
    const block = this.block(options.kept ?? false);
    block.bytes = bytes;
    return { descriptor, type: bindings.numberType(descriptor), bytes, block, offset: 0 };
  }

  /** An empty block; `append` makes it grow. */
  block(kept: boolean): Block {
    return this.#list.block(kept);
  }

  /** An empty block in memory that other threads can see, for the program's whole life. */
  sharedBlock(): Block {
    const block = emptyBlock(true);
    this.#shared.set(block, allocateShared(0));
    return block;
  }

  /** A tensor at the end of `block`, so that several lie side by side. */
  append(block: Block, descriptor: Descriptor): Tensor {
    const { bindings } = this.library;
    const bytes = bindings.bytes(descriptor);
    return { descriptor, type: bindings.numberType(descriptor), bytes, block, offset: this.#list.extend(block, bytes) };
  }

  /** Operations that are added from now on belong to this phase. */
  readonly begin = (phase: Phase, bucket?: number): void => this.#list.begin(phase, bucket);

  /** The part of `whole` that begins at `offsets`. */
  part(whole: Tensor, dims: readonly number[], offsets: readonly number[]): Tensor {
    const descriptor = this.library.bindings.part(whole.descriptor, dims, offsets);
    return { ...whole, descriptor, bytes: denseBytes(dims, whole.type) };
  }

  /** What `create` gives, unless the library has nothing better for it than reference code. */
  quickOnly(create: () => PrimitiveDescriptor): PrimitiveDescriptor | undefined {
    const descriptor = unlessNotImplemented(create);
    if (descriptor === undefined) return undefined;
    return this.library.bindings.implementation(descriptor).startsWith("ref") ? undefined : descriptor;
  }

  /** The layout that an operation reads or writes one of its arguments in. */
  query(primitiveDescriptor: PrimitiveDescriptor, what: number): Descriptor {
    const descriptor = this.library.bindings.query(primitiveDescriptor, what);
    if (descriptor === undefined) throw new Error(`the operation has no memory ${what}`);
    return descriptor;
  }

  /** Adds an operation of the library. Scratch memory is added by itself. */
  execute(info: OperationInfo, primitiveDescriptor: PrimitiveDescriptor, args: Arguments): void {
    const { bindings } = this.library;
    const all = [...args, ...this.#extra(primitiveDescriptor, Query.scratchpad, Argument.scratchpad)];
    const implementation = bindings.implementation(primitiveDescriptor);
    const tensors = all.map(([, tensor]) => tensor);
    const prepare = () => {
      const primitive = bindings.createPrimitive(primitiveDescriptor);
      const packed = packArguments(all.map(([argument, tensor]) => [argument, this.memory(tensor)]));
      return () => bindings.execute(primitive, packed);
    };
    this.#list.add(info, tensors, { implementation, prepare });
  }

  /** The memory in which a forward operation leaves notes for its backward operation, as an argument of both. */
  workspace(primitiveDescriptor: PrimitiveDescriptor): Arguments {
    return this.#extra(primitiveDescriptor, Query.workspace, Argument.workspace);
  }

  /** Adds an operation in TypeScript; `prepare` is called once memory is there and gives what runs each time. */
  compute(info: OperationInfo, tensors: readonly Tensor[], prepare: Prepare): void {
    this.#list.add({ ...info, serial: true }, tensors, { implementation: "typescript", prepare });
  }

  /**
   * Adds an operation in TypeScript over the rows (samples) of its tensors, which all threads share.
   * @param constants what the kernel is made from, once memory is there
   * @param begin writes what depends on the step to the kernel's frame
   * @param end reads what its rows gave
   */
  rows<K extends KernelName>(
    info: OperationInfo,
    tensors: readonly Tensor[],
    { kernel, rows, constants, begin, end }: RowWork<K>,
  ): void {
    const prepare = () => {
      const prepared = this.library.team.prepare(
        kernel,
        constants((tensor) => this.#place(tensor)),
      );
      this.#prepared.push(prepared);
      return () => {
        begin?.();
        prepared.run(rows);
        end?.();
      };
    };
    this.#list.add(info, tensors, { implementation: "typescript:threads", prepare });
  }

  /** `tensor` itself when it has this layout already, else a copy that has it. */
  reorder(tensor: Tensor, descriptor: Descriptor, info: OperationInfo): Tensor {
    if (this.library.bindings.equal(tensor.descriptor, descriptor)) return tensor;
    const target = this.tensor(descriptor);
    this.reorderInto(tensor, target, info);
    return target;
  }

  reorderInto(from: Tensor, to: Tensor, info: OperationInfo): void {
    this.#reorder(from, to, info, this.#plain);
  }

  /** Adds `from` to what `to` holds. */
  addInto(from: Tensor, to: Tensor, info: OperationInfo): void {
    this.#reorder(from, to, info, this.library.bindings.attributes({ relu: false, adds: true }));
  }

  #reorder(from: Tensor, to: Tensor, info: OperationInfo, attributes: Attributes): void {
    const operation = this.library.bindings.reorder(from.descriptor, to.descriptor, attributes);
    this.execute({ layer: info.layer, kind: "reorder", direction: info.direction }, operation, [
      [Argument.src, from],
      [Argument.dst, to],
    ]);
  }

  /**
   * Where an operation that writes `descriptor`'s layout puts what belongs into `tensor`: `settle` then adds the
   * operation that brings it there, where the two layouts differ.
   */
  target(tensor: Tensor, descriptor: Descriptor, info: OperationInfo) {
    if (this.library.bindings.equal(tensor.descriptor, descriptor)) return { tensor, settle: () => undefined };
    const written = this.tensor(descriptor);
    return { tensor: written, settle: () => this.reorderInto(written, tensor, info) };
  }

  /** The operations so far, by the library's names of their implementations. */
  get implementations(): readonly string[] {
    return this.#list.planned.map(({ work }) => work.implementation);
  }

  /** Places all tensors, allocates, creates the primitives. */
  finish(): readonly Operation[] {
    this.#arena = allocateArena(this.#list.place());
    for (const block of this.#shared.keys()) this.#shared.set(block, allocateShared(block.bytes));
    return this.#list.planned.map(({ work: { implementation, prepare }, ...operation }) => ({
      ...operation,
      implementation,
      run: prepare(),
    }));
  }

  get memoryBytes(): number {
    return (this.#arena?.bytes ?? 0) + this.#sharedBytes;
  }

  /** The bytes that `finish` would allocate for what was added so far. */
  estimateBytes(): number {
    return this.#list.place() + this.#sharedBytes;
  }

  address({ block, offset }: Tensor): Pointer {
    const shared = this.#shared.get(block);
    if (shared !== undefined) return addressOf(shared) + BigInt(offset);
    return this.#allocated.address + BigInt(block.offset + offset);
  }

  /** A tensor's memory as numbers, in its own layout; after `finish`. */
  floats(tensor: Tensor): Float32Array {
    if (tensor.type !== "float32") throw new Error(`numbers of ${tensor.type} are no floats`);
    const bytes = this.#bytes(tensor);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  /** The same of bfloat16 as bits, or floats: for what moves numbers without computing with them. */
  numbers(tensor: Tensor): Float32Array | Uint16Array {
    if (tensor.type !== "bfloat16") return this.floats(tensor);
    const bytes = this.#bytes(tensor);
    return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  }

  /** A memory object of the library for `tensor`. */
  memory(tensor: Tensor): Memory {
    return this.library.bindings.createMemory(tensor.descriptor, this.address(tensor));
  }

  close(): void {
    for (const prepared of this.#prepared) prepared.close();
    this.library.close();
    this.#arena?.free();
    this.#arena = undefined;
  }

  #place(tensor: Tensor): Place {
    return { address: this.address(tensor), bytes: tensor.bytes, type: tensor.type };
  }

  #bytes({ block, offset, bytes }: Tensor): Uint8Array {
    const shared = this.#shared.get(block);
    if (shared !== undefined) return shared.subarray(offset, offset + bytes);
    return new Uint8Array(this.#allocated.view(block.offset + offset, bytes));
  }

  #extra(primitiveDescriptor: PrimitiveDescriptor, query: number, argument: number): Arguments {
    const descriptor = this.library.bindings.query(primitiveDescriptor, query);
    return descriptor && this.library.bindings.bytes(descriptor) > 0 ? [[argument, this.tensor(descriptor)]] : [];
  }

  get #allocated(): Arena {
    if (this.#arena === undefined) throw new Error("finish() allocates; call it first");
    return this.#arena;
  }

  get #sharedBytes(): number {
    return [...this.#shared.keys()].reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/** Cleared memory that other threads can see, at a multiple of ALIGNMENT. */
function allocateShared(bytes: number): Uint8Array<SharedArrayBuffer> {
  const all = new Uint8Array(new SharedArrayBuffer(bytes + ALIGNMENT));
  const start = -Number(addressOf(all) % BigInt(ALIGNMENT)) + ALIGNMENT;
  return new Uint8Array(all.buffer, start, bytes);
}
