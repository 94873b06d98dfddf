import type { UpdateOptions } from "../engine.js";
import type { StepInputs } from "../program/step-inputs.js";
import type { Build } from "./build.js";
import type { Tensor } from "./dispatch.js";

/** Words before the views. */
const CONTROLS = 16;
/** Words a view. */
const VIEW = 8;

/** All that a step is told, in one tensor of 32-bit words: one write brings it. Shaders bind it as `inputs`. */
export class StepInputBlock {
  readonly tensor: Tensor;
  readonly #batchSize: number;
  readonly #words: DataView<ArrayBuffer>;
  readonly #build: Build;

  constructor(build: Build, batchSize: number) {
    this.#build = build;
    this.#batchSize = batchSize;
    this.tensor = build.tensor(CONTROLS + batchSize * (VIEW + 2), { kept: true });
    this.#words = new DataView(new ArrayBuffer(this.tensor.bytes));
  }

  /** The functions by which shaders read it. */
  get wgsl(): string {
    const labels = CONTROLS + VIEW * this.#batchSize;
    return `
fn step_samples() -> u32 { return inputs[0]; }
fn step_learns() -> bool { return inputs[1] != 0u; }
fn step_seed() -> vec2u { return vec2u(inputs[2], inputs[3]); }
fn step_divisor() -> f32 { return f32(inputs[4]); }
fn step_scores() -> bool { return inputs[5] != 0u; }
fn step_learning_rate() -> f32 { return bitcast<f32>(inputs[6]); }
fn step_momentum() -> f32 { return bitcast<f32>(inputs[7]); }
fn step_weight_decay() -> f32 { return bitcast<f32>(inputs[8]); }
fn step_first_sample() -> u32 { return inputs[9]; }
fn view_picture(sample: u32) -> u32 { return inputs[${CONTROLS}u + sample * ${VIEW}u]; }
fn view_corner(sample: u32) -> vec2u { let at = ${CONTROLS}u + sample * ${VIEW}u; return vec2u(inputs[at + 1u], inputs[at + 2u]); }
fn view_mirrored(sample: u32) -> bool { return inputs[${CONTROLS}u + sample * ${VIEW}u + 3u] != 0u; }
fn view_shift(sample: u32, channel: u32) -> f32 { return bitcast<f32>(inputs[${CONTROLS}u + sample * ${VIEW}u + 4u + channel]); }
fn sample_label(sample: u32) -> u32 { return inputs[${labels}u + sample]; }
fn sample_weight(sample: u32) -> f32 { return bitcast<f32>(inputs[${labels + this.#batchSize}u + sample]); }
`;
  }

  /** Brings it to the device. */
  write(step: StepInputs): void {
    const { views, places, labels, weights, seed } = step;
    const to = this.#words;
    const floats = (at: number, ...values: number[]): void => {
      for (const [i, value] of values.entries()) to.setFloat32(4 * (at + i), value, true);
    };
    const whole = (at: number, ...values: number[]): void => {
      for (const [i, value] of values.entries()) to.setInt32(4 * (at + i), value, true);
    };
    const seedHigh = Math.floor(seed / 0x1_0000_0000) | 0;
    whole(0, views.length, Number(step.learning), seed | 0, seedHigh, step.divisor, Number(step.scoring ?? false));
    floats(6, step.learningRate, step.momentum, step.weightDecay);
    whole(9, step.firstSample ?? 0);
    for (const [sample, { top, left, mirrored, colourShift }] of views.entries()) {
      const at = CONTROLS + VIEW * sample;
      whole(at, places[sample], top, left, Number(mirrored));
      floats(at + 4, ...colourShift);
    }
    const labelsAt = CONTROLS + VIEW * this.#batchSize;
    for (const [sample, label] of labels.entries()) {
      whole(labelsAt + sample, label);
      floats(labelsAt + this.#batchSize + sample, weights?.[sample] ?? 1);
    }
    this.#build.write(this.tensor, new Uint32Array(to.buffer));
  }

  /** Brings what only the update reads. */
  writeRates({ learningRate, momentum, weightDecay }: UpdateOptions): void {
    [learningRate, momentum, weightDecay].forEach((value, i) => {
      this.#words.setFloat32(4 * (6 + i), value, true);
    });
    this.#build.write(this.tensor, new Uint32Array(this.#words.buffer));
  }
}
