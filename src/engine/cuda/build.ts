import type { Pointer } from "../../system/native/memory.js";
import type { AlgorithmChoices, LayerTime } from "../engine.js";
import { BLAS_WORKSPACE, type Matrix } from "./blas.js";
import type { DeviceMemory } from "./driver.js";
import { bytesOf, type Format, type NumberFormat, numbersOf } from "./format.js";
import type { Gpu } from "./gpu.js";
import { align, type Block, place } from "./placement.js";
import type { Way } from "./tuning.js";

/** No operation gets more scratch memory. */
const MOST_WORKSPACE = 1 << 30;

/** Values of one format on the device. */
export interface Tensor {
  readonly block: Block;
  /** Bytes from the block's start. */
  readonly offset: number;
  readonly length: number;
  readonly bytes: number;
  readonly format: Format;
}

/** What an operation is, for tables of times and for errors. */
export interface OperationInfo {
  readonly layer: string;
  readonly kind: LayerTime["kind"];
  readonly direction: LayerTime["direction"];
  readonly flops?: number;
}

export interface Operation extends OperationInfo {
  readonly implementation: string;
  readonly bytes: number;
  /** Puts its work on the stream. */
  run(): void;
}

interface PlannedOperation extends OperationInfo {
  readonly tensors: readonly Tensor[];
  /** Prepared once addresses are known. */
  readonly ways: readonly Way[];
  /** What its ways are told apart by, from one program to the next. */
  readonly shape: string;
}

/**
 * Puts a program together: operations in the order they will run, and the memory between them. After `finish` nothing
 * is allocated any more.
 */
export class Build {
  readonly #operations: PlannedOperation[] = [];
  readonly #blocks: Block[] = [];
  readonly #owned: (() => void)[] = [];
  readonly #workspace: Tensor;
  readonly #asked: AlgorithmChoices;
  readonly #chosen: Record<string, string> = {};
  #memory: DeviceMemory | undefined;
  #bytes = 0;

  /** @param asked by layer and direction, the ways to take whatever is quickest */
  constructor(
    readonly gpu: Gpu,
    asked: AlgorithmChoices = {},
  ) {
    this.#asked = asked;
    this.#workspace = this.tensor(BLAS_WORKSPACE, { format: "bytes", kept: true });
    this.reserve(BLAS_WORKSPACE);
  }

  /** Of activations, and of weights where they multiply. */
  get format(): NumberFormat {
    return this.gpu.precision === "bf16" ? "bf16" : "float32";
  }

  tensor(length: number, options: { readonly format?: Format; readonly kept?: boolean } = {}): Tensor {
    const { format = this.format, kept = false } = options;
    return this.append(this.block(kept), length, format);
  }

  /** An empty block; `append` makes it grow. */
  block(kept: boolean): Block {
    const block: Block = { bytes: 0, first: Number.POSITIVE_INFINITY, last: -1, kept, offset: 0 };
    this.#blocks.push(block);
    return block;
  }

  /** A tensor at the end of `block`, so that several lie side by side. */
  append(block: Block, length: number, format: Format): Tensor {
    const offset = block.bytes;
    const bytes = length * bytesOf(format);
    block.bytes += align(bytes);
    return { block, offset, length, bytes, format };
  }

  /** Makes the scratch memory, which all operations share, at least so large. False when that is too much. */
  reserve(bytes: number): boolean {
    if (bytes > MOST_WORKSPACE) return false;
    this.#workspace.block.bytes = Math.max(this.#workspace.block.bytes, align(bytes));
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
  add(info: OperationInfo, tensors: readonly Tensor[], implementation: string, prepare: () => () => void): void {
    this.addQuickest(info, "", tensors, [{ implementation, prepare }]);
  }

  /** Adds an operation that can be done in several ways: the quickest is found by measuring. */
  addQuickest(info: OperationInfo, shape: string, tensors: readonly Tensor[], ways: readonly Way[]): void {
    const now = this.#operations.length;
    for (const { block } of tensors) {
      block.first = Math.min(block.first, now);
      block.last = Math.max(block.last, now);
    }
    this.#operations.push({ ...info, shape, tensors, ways });
  }

  /** The operations so far, with the bytes that each reads and writes at the least. */
  get planned(): readonly (OperationInfo & { readonly bytes: number })[] {
    return this.#operations.map(({ ways: _ways, shape: _shape, tensors, ...info }) => ({
      ...info,
      bytes: sum(tensors),
    }));
  }

  /** Operations so far. */
  get count(): number {
    return this.#operations.length;
  }

  /** Has `close` called when the program is closed. */
  own(close: () => void): void {
    this.#owned.push(close);
  }

  /** The bytes that `finish` would allocate for what was added so far. */
  estimateBytes(): number {
    return place(this.#blocks);
  }

  get memoryBytes(): number {
    return this.#bytes;
  }

  /** By layer and direction, which of several ways was taken; after `finish`. */
  get algorithms(): AlgorithmChoices {
    return this.#chosen;
  }

  /** Places all tensors, allocates, clears, prepares the operations and chooses between their ways. */
  finish(): readonly Operation[] {
    const { device, scene, tuning } = this.gpu;
    this.#bytes = place(this.#blocks);
    this.#memory = device.allocate(this.#bytes);
    device.clear(this.#memory.address, this.#bytes);
    return this.#operations.map(({ ways, tensors, shape, ...info }) => {
      const name = `${info.layer} ${info.direction}`;
      scene.doing = name;
      const { implementation, run } = tuning.choose(`${info.direction} ${shape}`, ways, this.#asked[name]);
      scene.doing = "";
      if (ways.length > 1) this.#chosen[name] = implementation;
      return { ...info, implementation, bytes: sum(tensors), run };
    });
  }

  /** Of memory; after `finish`. */
  address({ block, offset }: Tensor): Pointer {
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
    const format = numbersOf(tensor.format);
    return { address: this.address(tensor) + BigInt(first * bytesOf(format)), format, stride, transposed };
  }

  /** A tensor's values; waits for all that was asked for before. */
  read({ length, format, ...tensor }: Tensor, count = length): Float32Array {
    const values = numbersOf(format) === "bf16" ? new Uint16Array(count) : new Float32Array(count);
    const { device } = this.gpu;
    device.copyOut(values, this.address({ length, format, ...tensor }), values.byteLength);
    device.wait();
    return values instanceof Float32Array ? values : widened(values);
  }

  /** Overwrites a tensor. */
  write(tensor: Tensor, values: Float32Array): void {
    const { device } = this.gpu;
    const stored = numbersOf(tensor.format) === "bf16" ? narrowed(values) : values;
    device.copyIn(this.address(tensor), stored, stored.byteLength);
    device.wait();
  }

  close(): void {
    this.gpu.device.wait();
    for (const close of this.#owned.splice(0)) close();
    this.#memory?.close();
  }
}

function sum(tensors: readonly Tensor[]): number {
  return tensors.reduce((total, { bytes }) => total + bytes, 0);
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
