import type { LayerTime } from "../engine.js";
import { align, type Block, emptyBlock, placeBlocks, touch } from "./blocks.js";

/** What an operation is, for tables of times and for errors. */
export interface OperationInfo {
  readonly layer: string;
  readonly kind: LayerTime["kind"];
  readonly direction: LayerTime["direction"];
  readonly flops?: number;
  /** One thread does it alone, however many there are. */
  readonly serial?: boolean;
}

/**
 * When an operation runs. A training step is "forward", "loss", every bucket's "backward" and "update"; a prediction
 * is "forward" and "prediction". Operations of phase "outputs" belong to both.
 */
export type Phase = "forward" | "outputs" | "prediction" | "loss" | "backward" | "update";

export interface Operation extends OperationInfo {
  readonly phase: Phase;
  /** Of "backward": the bucket whose gradients it works for. */
  readonly bucket: number;
  /** The library's own name of the implementation. */
  readonly implementation: string;
  /** Read and written at the least. */
  readonly bytes: number;
  run(): void;
}

/** Makes an operation ready once memory is there; what it gives is run at each step. */
export type Prepare = () => () => void;

interface Placed {
  readonly block: Block;
  readonly bytes: number;
}

export interface Planned<T, Work> extends OperationInfo {
  readonly phase: Phase;
  readonly bucket: number;
  readonly tensors: readonly T[];
  readonly work: Work;
}

/**
 * A program's operations in the order they will run, and the blocks of memory between them. `T` is the engine's
 * tensor, `Work` what it knows of an operation.
 */
export class OperationList<T extends Placed, Work> {
  readonly #planned: Planned<T, Work>[] = [];
  readonly #blocks: Block[] = [];
  #phase: Phase = "forward";
  #bucket = 0;

  /** @param alignment every block begins at a multiple of it, in bytes */
  constructor(readonly alignment: number) {}

  /** Operations that are added from now on belong to this phase. */
  begin(phase: Phase, bucket = 0): void {
    this.#phase = phase;
    this.#bucket = bucket;
  }

  /** An empty block; `extend` makes it grow. */
  block(kept: boolean): Block {
    const block = emptyBlock(kept);
    this.#blocks.push(block);
    return block;
  }

  /** Makes the block larger by `bytes`. @returns where they begin in it */
  extend(block: Block, bytes: number): number {
    const offset = block.bytes;
    block.bytes += align(bytes, this.alignment);
    return offset;
  }

  add(info: OperationInfo, tensors: readonly T[], work: Work): void {
    for (const { block } of tensors) touch(block, this.#planned.length);
    this.#planned.push({ ...info, phase: this.#phase, bucket: this.#bucket, tensors, work });
  }

  /** Gives every block its offset. @returns the bytes of all */
  place(): number {
    return placeBlocks(this.#blocks, this.alignment);
  }

  /** The operations so far, with the bytes that each reads and writes at the least. */
  get planned(): readonly (Omit<Planned<T, Work>, "tensors"> & { readonly bytes: number })[] {
    return this.#planned.map(({ tensors, ...rest }) => ({ ...rest, bytes: totalBytes(tensors) }));
  }
}

function totalBytes(tensors: readonly Placed[]): number {
  return tensors.reduce((sum, { bytes }) => sum + bytes, 0);
}
