import type { Pointer } from "../../system/native/memory.js";
import type { UpdateOptions } from "../engine.js";
import type { StepInputs } from "../program/step-inputs.js";
import type { Build, Memory } from "./build.js";

/** What a step is told, besides its pictures themselves. */
export interface CudaStepInputs extends StepInputs {
  /** Where the batch's pictures are on the device. */
  readonly pictures: Pointer;
}

const CONTROLS_BYTES = 64; // struct Controls of numbers.cuh takes 48
const VIEW_BYTES = 32; // struct View of input.cu
const LABEL_BYTES = 4;
const WEIGHT_BYTES = 4;

/** Struct Controls, an array of struct View, the labels and the weights, side by side on the device: one copy brings them. */
export class StepInputBlock {
  /** Of everything; struct Controls comes first. */
  readonly all: Memory;
  readonly views: Memory;
  /** int32 */
  readonly labels: Memory;
  /** float */
  readonly weights: Memory;

  constructor(build: Build, batchSize: number) {
    const [viewBytes, labelBytes] = [batchSize * VIEW_BYTES, batchSize * LABEL_BYTES];
    const weightBytes = batchSize * WEIGHT_BYTES;
    this.all = build.memory(CONTROLS_BYTES + viewBytes + labelBytes + weightBytes);
    const { block } = this.all;
    this.views = { block, offset: CONTROLS_BYTES, bytes: viewBytes };
    this.labels = { block, offset: CONTROLS_BYTES + viewBytes, bytes: labelBytes };
    this.weights = { block, offset: this.labels.offset + labelBytes, bytes: weightBytes };
  }

  /** Writes what the device reads to the host's copy of the block. */
  write(to: DataView, inputs: CudaStepInputs): void {
    const { views, places, labels, weights, seed } = inputs;
    to.setBigUint64(0, inputs.pictures, true);
    to.setInt32(8, views.length, true);
    to.setInt32(12, inputs.learning ? 1 : 0, true);
    to.setInt32(16, seed | 0, true);
    to.setInt32(20, Math.floor(seed / 0x1_0000_0000) | 0, true);
    this.writeRates(to, inputs);
    to.setInt32(36, inputs.divisor, true);
    to.setInt32(40, inputs.scoring ? 1 : 0, true);
    to.setInt32(44, inputs.firstSample ?? 0, true);
    views.forEach(({ top, left, mirrored, colourShift }, sample) => {
      const at = this.views.offset + sample * VIEW_BYTES;
      to.setInt32(at, places[sample], true);
      to.setInt32(at + 4, top, true);
      to.setInt32(at + 8, left, true);
      to.setInt32(at + 12, mirrored ? 1 : 0, true);
      colourShift.forEach((shift, channel) => {
        to.setFloat32(at + 16 + 4 * channel, shift, true);
      });
    });
    for (const [sample, label] of labels.entries()) {
      to.setInt32(this.labels.offset + LABEL_BYTES * sample, label, true);
      to.setFloat32(this.weights.offset + WEIGHT_BYTES * sample, weights?.[sample] ?? 1, true);
    }
  }

  /** Writes what only the update reads. */
  writeRates(to: DataView, { learningRate, momentum, weightDecay }: UpdateOptions): void {
    to.setFloat32(24, learningRate, true);
    to.setFloat32(28, momentum, true);
    to.setFloat32(32, weightDecay, true);
  }
}
