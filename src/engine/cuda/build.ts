import type { Pointer } from "../../system/native/memory.js";
import type { AlgorithmChoices } from "../engine.js";
import type { Block } from "../program/blocks.js";
import { type Operation, type OperationInfo, OperationList, type Phase, type Prepare } from "../program/operations.js";
import type { Gpu } from "./gpu.js";
import { BLAS_WORKSPACE, type Matrix } from "./native/blas.js";
import type { DeviceMemory } from "./native/driver.js";
import { bytesOf, type NumberFormat } from "./native/format.js";
import type { Algorithm } from "./tuning.js";

/** No operation gets more scratch memory. */
const MOST_WORKSPACE = 1 << 30;

/** Every block of device memory begins at a multiple of this, in bytes. */
const ALIGNMENT = 256;

/** Bytes on the device. */
export interface Memory {
  readonly block: Block;
  /** Bytes from the block's start. */
  readonly offset: number;
  readonly bytes: number;
}

/** Values of one format on the device. */
export interface Tensor extends Memory {
  readonly length: number;
  readonly format: NumberFormat;
}

interface Work {
  /** Prepared once addresses are known. */
  readonly algorithms: readonly Algorithm[];
  /** What its algorithms are told apart by, from one program to the next. */
  readonly shape: string;
}

/**
 * Puts a program together: operations in the order they will run, and the memory between them. After `finish` nothing
 * is allocated any more.
 */
export class Build {
  readonly #list = new OperationList<Memory, Work>(ALIGNMENT);
  readonly #owned: (() => void)[] = [];
  readonly #workspace: Memory;
  readonly #given: AlgorithmChoices;
  readonly #chosen: Record<string, string> = {};
  #memory: DeviceMemory | undefined;
  #bytes = 0;

  /** @param given by layer and direction, the algorithms to take whatever is quickest */
  constructor(
    readonly gpu: Gpu,
    given: AlgorithmChoices = {},
  ) {
    this.#given = given;
    this.#workspace = this.memory(BLAS_WORKSPACE);
  }

  /** Of activations, and of weights where they multiply. */
  get format(): NumberFormat {
    return this.gpu.precision === "bf16" ? "bf16" : "float32";
  }

  tensor(length: number, options: { readonly format?: NumberFormat; readonly kept?: boolean } = {}): Tensor {
    const { format = this.format, kept = false } = options;
    const bytes = length * bytesOf(format);
    return { ...this.memory(bytes, { kept }), length, format };
  }

  /** Bytes that are not all of one format: structs, indices, pictures, scratch memory. */
  memory(bytes: number, { kept = true } = {}): Memory {
    const block = this.block(kept);
    return { block, offset: this.#list.extend(block, bytes), bytes };
  }

  /** An empty block; `extend` makes it grow. */
  block(kept: boolean): Block {
    return this.#list.block(kept);
  }

  /** Operations that are added from now on belong to this phase. */
  readonly begin = (phase: Phase, bucket?: number): void => this.#list.begin(phase, bucket);

  /** Makes the scratch memory, which all operations share, at least so large. False when that is too much. */
  reserve(bytes: number): boolean {
    if (bytes > MOST_WORKSPACE) return false;
    const { block } = this.#workspace;
    if (bytes > block.bytes) this.#list.extend(block, bytes - block.bytes);
    return true;
  }

  /** The scratch memory from a byte offset on. */
  scratch(offset = 0): Pointer {
    return this.address(this.#workspace) + BigInt(offset);
  }

  /** Where the matrix library has its scratch memory. */
  get blasWorkspace() {
    return { address: this.scratch(), bytes: BLAS_WORKSPACE };
  }

  /** Adds an operation; `prepare` is called once memory is there and gives what puts it on the stream. */
  add(info: OperationInfo, tensors: readonly Memory[], implementation: string, prepare: Prepare): void {
    this.addQuickest(info, "", tensors, [{ implementation, prepare }]);
  }

  /** Adds an operation for which there are several algorithms: the quickest is found by measuring. */
  addQuickest(info: OperationInfo, shape: string, tensors: readonly Memory[], algorithms: readonly Algorithm[]): void {
    this.#list.add(info, tensors, { shape, algorithms });
  }

  /** The operations so far, with the bytes that each reads and writes at the least. */
  get planned() {
    return this.#list.planned;
  }

  /** Has `close` called when the program is closed. */
  own(close: () => void): void {
    this.#owned.push(close);
  }

  /** The bytes that `finish` would allocate for what was added so far. */
  estimateBytes(): number {
    return this.#list.place();
  }

  get memoryBytes(): number {
    return this.#bytes;
  }

  /** By layer and direction, which of several algorithms was taken; after `finish`. */
  get algorithms(): AlgorithmChoices {
    return this.#chosen;
  }

  /** Places all tensors, allocates, clears, prepares the operations and chooses between their algorithms. */
  finish(): readonly Operation[] {
    const { device, scene, tuning } = this.gpu;
    this.#bytes = this.#list.place();
    this.#memory = device.allocate(this.#bytes);
    device.clear(this.#memory.address, this.#bytes);
    return this.#list.planned.map(({ work: { algorithms, shape }, ...operation }) => {
      const name = `${operation.layer} ${operation.direction}`;
      scene.doing = name;
      const { implementation, run } = tuning.choose(`${operation.direction} ${shape}`, algorithms, this.#given[name]);
      scene.doing = "";
      if (algorithms.length > 1) this.#chosen[name] = implementation;
      return { ...operation, implementation, run };
    });
  }

  /** Of memory; after `finish`. */
  address({ block, offset }: Pick<Memory, "block" | "offset">): Pointer {
    if (this.#memory === undefined) throw new Error("finish() allocates; call it first");
    return this.#memory.address + BigInt(block.offset + offset);
  }

  /** A tensor, or its values from `first` on, as rows for the matrix library. */
  matrix(
    tensor: Tensor,
    stride: number,
    options: { readonly transposed?: boolean; readonly first?: number } = {},
  ): Matrix {
    const { transposed = false, first = 0 } = options;
    const { format } = tensor;
    return { address: this.address(tensor) + BigInt(first * bytesOf(format)), format, stride, transposed };
  }

  /** A tensor's values; waits for all that was asked for before. */
  read(tensor: Tensor): Float32Array {
    const { length, format } = tensor;
    const values = format === "bf16" ? new Uint16Array(length) : new Float32Array(length);
    this.readInto(values, tensor);
    return values instanceof Float32Array ? values : widened(values);
  }

  /** Copies memory as it is; waits for all that was asked for before. */
  readInto(values: ArrayBufferView, from: Memory): void {
    const { device } = this.gpu;
    device.copyOut(values, this.address(from), values.byteLength);
    device.wait();
  }

  /** Overwrites a tensor. */
  write(tensor: Tensor, values: Float32Array): void {
    this.writeBytes(tensor, tensor.format === "bf16" ? narrowed(values) : values);
  }

  /** Overwrites memory with bytes as they are. */
  writeBytes(to: Memory, bytes: ArrayBufferView): void {
    const { device } = this.gpu;
    device.copyIn(this.address(to), bytes, bytes.byteLength);
    device.wait();
  }

  close(): void {
    this.gpu.device.wait();
    for (const close of this.#owned.splice(0)) close();
    this.#memory?.close();
  }
}

function widened(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

/** To the nearest, halves to even; NaN stays NaN. */
function narrowed(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(words, (word, i) =>
    Number.isNaN(values[i]) ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16,
  );
}
