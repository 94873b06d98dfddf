import type { View } from "../../network/picture.js";
import type { Pointer } from "../../system/native/memory.js";
import type { Build, Tensor } from "./build.js";

/** What a step is told, besides its pictures. */
export interface Orders {
  /** Where the batch's pictures are on the device. */
  readonly pictures: Pointer;
  readonly views: readonly View[];
  /** By sample, the index of its picture among those on the device. */
  readonly places: readonly number[];
  readonly labels: Int32Array;
  readonly learning: boolean;
  readonly seed: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

const CONTROLS_BYTES = 64; // struct Controls of numbers.cuh, and room
const VIEW_BYTES = 32; // struct View of input.cu

/** Struct Controls, an array of struct View and the labels, side by side: one copy brings them over. */
export class ControlBlock {
  /** Of everything. */
  readonly tensor: Tensor;
  readonly views: Tensor;
  readonly labels: Tensor;
  /** What is copied. */
  readonly bytes: number;
  readonly #batchSize: number;

  constructor(build: Build, batchSize: number) {
    this.#batchSize = batchSize;
    this.bytes = CONTROLS_BYTES + batchSize * (VIEW_BYTES + 4);
    this.tensor = build.tensor(this.bytes / 4, { format: "float32", kept: true });
    const part = (offset: number, length: number): Tensor => ({ ...this.tensor, offset, length, bytes: 4 * length });
    this.views = part(CONTROLS_BYTES, (batchSize * VIEW_BYTES) / 4);
    this.labels = part(CONTROLS_BYTES + batchSize * VIEW_BYTES, batchSize);
  }

  /** Writes the orders as the device reads them. */
  write(to: DataView, orders: Orders): void {
    const { views, places, labels, seed } = orders;
    to.setBigUint64(0, orders.pictures, true);
    to.setInt32(8, views.length, true);
    to.setInt32(12, orders.learning ? 1 : 0, true);
    to.setInt32(16, seed | 0, true);
    to.setInt32(20, Math.floor(seed / 0x1_0000_0000) | 0, true);
    to.setFloat32(24, orders.learningRate, true);
    to.setFloat32(28, orders.momentum, true);
    to.setFloat32(32, orders.weightDecay, true);
    views.forEach(({ top, left, mirrored, colourShift }, sample) => {
      const at = CONTROLS_BYTES + sample * VIEW_BYTES;
      to.setInt32(at, places[sample], true);
      to.setInt32(at + 4, top, true);
      to.setInt32(at + 8, left, true);
      to.setInt32(at + 12, mirrored ? 1 : 0, true);
      colourShift.forEach((shift, channel) => {
        to.setFloat32(at + 16 + 4 * channel, shift, true);
      });
    });
    const labelsAt = CONTROLS_BYTES + this.#batchSize * VIEW_BYTES;
    for (const [sample, label] of labels.entries()) to.setInt32(labelsAt + 4 * sample, label, true);
  }
}
