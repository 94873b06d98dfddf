import type { Pointer } from "../../system/native/memory.js";
import type { LayerTime } from "../engine.js";
import { type Arena, allocateArena } from "./arena.js";
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
} from "./bindings.js";
import type { Library } from "./library.js";

const ALIGNMENT = 64; // bytes: a cache line, and the widest vector register

/** Memory of one or more tensors, alive from the first operation that touches it to the last. */
interface Block {
  bytes: number;
  first: number;
  last: number;
  /** Alive for the whole program: parameters, and what is read or written between steps. */
  kept: boolean;
  address: Pointer;
  /** Byte offset in the arena. */
  offset: number;
}

/** Values in one of the library's layouts. */
export interface Tensor {
  readonly descriptor: Descriptor;
  readonly bytes: number;
  readonly block: Block;
  /** Byte offset in the block. */
  readonly offset: number;
}

/** What an operation is, for tables of times. */
export interface OperationInfo {
  readonly layer: string;
  readonly kind: LayerTime["kind"];
  readonly direction: LayerTime["direction"];
  readonly flops?: number;
}

export interface Operation extends OperationInfo {
  readonly implementation: string;
  readonly bytes: number;
  run(): void;
}

export type Arguments = readonly (readonly [argument: number, tensor: Tensor])[];

/**
 * Puts a program together: operations in the order they will run, and the memory between them. Tensors whose lives
 * don't meet share memory. After `finish` nothing is allocated any more.
 */
export class Build {
  readonly #operations: (OperationInfo & {
    implementation: string;
    tensors: readonly Tensor[];
    prepare: () => () => void;
  })[] = [];
  readonly #blocks: Block[] = [];
  readonly #plain: Attributes;
  #arena: Arena | undefined;

  /** The library for this program: what its bindings create is destroyed with the program. */
  readonly library: Library;

  constructor(library: Library) {
    this.library = library.scope();
    this.#plain = this.library.bindings.attributes({ relu: false });
  }

  get attributes(): Attributes {
    return this.#plain;
  }

  descriptor(dims: readonly number[], layout: Layout): Descriptor {
    return this.library.bindings.descriptor(dims, layout, "float32");
  }

  tensor(descriptor: Descriptor, options: { readonly kept?: boolean } = {}): Tensor {
    const bytes = this.library.bindings.bytes(descriptor);
    const block = this.block(options.kept ?? false);
    block.bytes = bytes;
    return { descriptor, bytes, block, offset: 0 };
  }

  /** An empty block; `append` makes it grow. */
  block(kept: boolean): Block {
    const block: Block = { bytes: 0, first: Number.POSITIVE_INFINITY, last: -1, kept, address: 0n, offset: 0 };
    this.#blocks.push(block);
    return block;
  }

  /** A tensor at the end of `block`, so that several lie side by side. */
  append(block: Block, descriptor: Descriptor): Tensor {
    const offset = block.bytes;
    const bytes = this.library.bindings.bytes(descriptor);
    block.bytes += align(bytes);
    return { descriptor, bytes, block, offset };
  }

  /** The part of `whole` that begins at `offsets`. */
  part(whole: Tensor, dims: readonly number[], offsets: readonly number[]): Tensor {
    const descriptor = this.library.bindings.part(whole.descriptor, dims, offsets);
    return { ...whole, descriptor, bytes: denseBytes(dims, "float32") };
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
    this.#add(info, implementation, tensors, () => {
      const primitive = bindings.createPrimitive(primitiveDescriptor);
      const packed = packArguments(all.map(([argument, tensor]) => [argument, this.memory(tensor)]));
      return () => bindings.execute(primitive, packed);
    });
  }

  /** The memory in which a forward operation leaves notes for its backward operation, as an argument of both. */
  workspace(primitiveDescriptor: PrimitiveDescriptor): Arguments {
    return this.#extra(primitiveDescriptor, Query.workspace, Argument.workspace);
  }

  /** Adds an operation in TypeScript; `prepare` is called once memory is there and gives what runs each time. */
  compute(info: OperationInfo, tensors: readonly Tensor[], prepare: () => () => void): void {
    this.#add(info, "typescript", tensors, prepare);
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
    return this.#operations.map(({ implementation }) => implementation);
  }

  /** Operations so far. */
  get count(): number {
    return this.#operations.length;
  }

  /** Places all tensors, allocates, creates the primitives. */
  finish(): readonly Operation[] {
    const bytes = place(this.#blocks);
    const arena = allocateArena(bytes);
    this.#arena = arena;
    for (const block of this.#blocks) block.address = arena.address + BigInt(block.offset);
    return this.#operations.map(({ tensors, prepare, ...info }) => ({
      ...info,
      bytes: tensors.reduce((sum, tensor) => sum + tensor.bytes, 0),
      run: prepare(),
    }));
  }

  get memoryBytes(): number {
    return this.#arena?.bytes ?? 0;
  }

  /** The bytes that `finish` would allocate for what was added so far. */
  estimateBytes(): number {
    return place(this.#blocks);
  }

  address(tensor: Tensor): Pointer {
    return tensor.block.address + BigInt(tensor.offset);
  }

  /** A tensor's memory as numbers, in its own layout; after `finish`. */
  floats(tensor: Tensor): Float32Array {
    if (this.#arena === undefined) throw new Error("finish() allocates; call it first");
    return new Float32Array(this.#arena.view(tensor.block.offset + tensor.offset, tensor.bytes));
  }

  /** A memory object of the library for `tensor`. */
  memory(tensor: Tensor): Memory {
    return this.library.bindings.createMemory(tensor.descriptor, this.address(tensor));
  }

  close(): void {
    this.library.close();
    this.#arena?.free();
    this.#arena = undefined;
  }

  #extra(primitiveDescriptor: PrimitiveDescriptor, query: number, argument: number): Arguments {
    const descriptor = this.library.bindings.query(primitiveDescriptor, query);
    return descriptor && this.library.bindings.bytes(descriptor) > 0 ? [[argument, this.tensor(descriptor)]] : [];
  }

  #add(info: OperationInfo, implementation: string, tensors: readonly Tensor[], prepare: () => () => void): void {
    const now = this.#operations.length;
    for (const { block } of tensors) {
      block.first = Math.min(block.first, now);
      block.last = Math.max(block.last, now);
    }
    this.#operations.push({ ...info, implementation, tensors, prepare });
  }
}

/** Gives each block its offset, in the better of two orders. Returns the total. */
function place(blocks: readonly Block[]): number {
  const orders: ((a: Block, b: Block) => number)[] = [
    (a, b) => b.bytes - a.bytes,
    (a, b) => Number(b.kept) - Number(a.kept) || b.last - a.last || b.bytes - a.bytes,
  ];
  const totals = orders.map((order) => placeInOrder([...blocks].sort(order)));
  const best = totals.indexOf(Math.min(...totals));
  return placeInOrder([...blocks].sort(orders[best]));
}

/** Each at the lowest place free for its whole life, given those before it. Returns the total. */
function placeInOrder(blocks: readonly Block[]): number {
  const placed: Block[] = [];
  let total = 0;
  const meets = (a: Block, b: Block): boolean => a.kept || b.kept || (a.first <= b.last && b.first <= a.last);
  for (const block of blocks) {
    let offset = 0;
    for (const other of placed) {
      // `placed` is sorted by offset: the first gap that is wide enough is the lowest.
      if (!meets(block, other)) continue;
      if (offset + block.bytes <= other.offset) break;
      offset = Math.max(offset, align(other.offset + other.bytes));
    }
    block.offset = offset;
    const index = placed.findIndex((other) => other.offset > offset);
    placed.splice(index === -1 ? placed.length : index, 0, block);
    total = Math.max(total, align(offset + block.bytes));
  }
  return total;
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
