import { AlexnetError } from "../../errors.js";
import type { Network } from "../../network/network.js";
import { type Batch, pictureBytes, pictureSizeOf } from "../../network/picture.js";
import type { Pointer } from "../../system/native/memory.js";
import type { ComputeProgram } from "../compute.js";
import type { AlgorithmChoices, CompileOptions, State, StepOptions } from "../engine.js";
import type { Operation } from "./build.js";
import type { Orders } from "./controls.js";
import { type Graph, isOutOfMemory } from "./driver.js";
import type { Gpu } from "./gpu.js";
import { type Activation, layoutOf } from "./layer.js";
import { pack, unpack, valueCount } from "./layout.js";
import { outcomeOf, RESULT_BYTES } from "./loss.js";
import { HeldPictures, PictureUpload } from "./pictures.js";
import { type Plan, planProgram } from "./plan.js";
import { profileOperations } from "./profile.js";
import { refuseTooLarge, SPARE_BYTES, tooLarge } from "./room.js";
import { Slot } from "./slot.js";

const notLearning = { learning: false, seed: 0, learningRate: 0, momentum: 0, weightDecay: 0 } as const;
const noBatch: Batch = { pictures: new Uint8Array(), views: [], labels: new Int32Array() };

/** @throws AlexnetError "engine" when memory is short or a library refuses; what was made is freed. */
export function compileProgram(gpu: Gpu, network: Network, options: CompileOptions): ComputeProgram {
  const plan = planProgram(gpu, network, options);
  try {
    refuseTooLarge(gpu, plan.build.estimateBytes(), network, options);
    return new CudaProgram(gpu, plan, options);
  } catch (error) {
    plan.build.close();
    if (!isOutOfMemory(error)) throw error;
    throw tooLarge(gpu, plan.build.estimateBytes(), network, options, 0);
  }
}

/** A slot and what runs on what came by it. */
interface Prepared {
  readonly slot: Slot;
  readonly predict: Graph;
  /** Where the program trains. */
  readonly step?: Graph;
}

class CudaProgram implements ComputeProgram {
  readonly batchSize: number;
  readonly memoryBytes: number;
  readonly algorithms: AlgorithmChoices;
  readonly batchesAtOnce: number;
  readonly #gpu: Gpu;
  readonly #plan: Plan;
  readonly #operations: readonly Operation[];
  readonly #upload: PictureUpload;
  readonly #held: HeldPictures;
  readonly #slots: readonly Prepared[];
  /** Batches so far; they use the slots in turn. */
  #batches = 0;
  /** In the latest batch. */
  #samples = 0;

  constructor(gpu: Gpu, plan: Plan, { batchSize, mode, preprocessing }: CompileOptions) {
    const { build, controls, probabilities, pictures } = plan;
    this.#gpu = gpu;
    this.#plan = plan;
    this.batchSize = batchSize;
    this.#operations = build.finish();
    this.memoryBytes = build.memoryBytes;
    this.algorithms = build.algorithms;
    this.#upload = new PictureUpload(gpu.device, pictureBytes(pictureSizeOf(preprocessing)));
    this.#held = new HeldPictures(gpu.device, this.#upload);
    build.own(() => {
      this.#held.close();
      this.#upload.close();
    });
    this.batchesAtOnce = pictures.length;
    const resultBytes = Math.max(RESULT_BYTES, probabilities.bytes);
    this.#slots = pictures.map((tensor) => {
      const slot = new Slot(build, controls.bytes, resultBytes, tensor && build.address(tensor));
      this.#order(slot, noBatch, notLearning);
      return {
        slot,
        predict: this.#captured(() => this.#putPrediction(slot)),
        ...(mode === "train" && { step: this.#captured(() => this.#putStep(slot)) }),
      };
    });
  }

  /** Leaves room for another program such as this: what looks for a divergence is one. */
  reserve(count: number): number {
    for (const { slot } of this.#slots) slot.settle();
    return this.#plan.pictures[0] === undefined ? 0 : this.#held.reserve(count, SPARE_BYTES + this.memoryBytes);
  }

  hold(pictures: Uint8Array): void {
    this.#held.add(pictures);
  }

  async step(batch: Batch, options: StepOptions) {
    const { slot, step } = this.#nextSlot();
    this.#order(slot, batch, { ...options, learning: true });
    return slot.launch(trained(step), "step", outcomeOf);
  }

  async predict(batch: Batch) {
    const { slot, predict } = this.#nextSlot();
    this.#order(slot, batch, notLearning);
    const count = batch.views.length * this.#plan.classes;
    return slot.launch(predict, "predict", ({ buffer, byteOffset }) =>
      new Float32Array(buffer, byteOffset, count).slice(),
    );
  }

  profile(batch: Batch, options: StepOptions, steps: number) {
    const { slot, step } = this.#nextSlot();
    const { build, controls, forwardCount } = this.#plan;
    this.#order(slot, batch, { ...options, learning: true });
    const operations = this.#operations.filter((_, i) => i !== forwardCount); // without the softmax of predictions
    const bringOrders = () => slot.bringOrders(build.address(controls.tensor));
    return profileOperations(this.#gpu, bringOrders, operations, trained(step), steps);
  }

  activation(layer: string): Float32Array {
    return this.#readActivation(this.#plan.observed.get(layer));
  }

  inputGradient(): Float32Array {
    return this.#readActivation(this.#plan.slope);
  }

  read(state: State): Float32Array {
    return this.#plan.parameters.read(state);
  }

  write(state: "parameters" | "momentum", values: Float32Array): void {
    this.#plan.parameters.write(state, values);
  }

  close(): void {
    for (const { slot, predict, step } of this.#slots) {
      slot.settle();
      predict.close();
      step?.close();
    }
    this.#plan.build.close();
  }

  /** The slot whose turn it is, once nothing uses it any more. */
  #nextSlot(): Prepared {
    const next = this.#slots[this.#batches++ % this.#slots.length];
    next.slot.settle();
    return next;
  }

  #putForward(slot: Slot): void {
    const { build, controls, forwardCount } = this.#plan;
    slot.bringOrders(build.address(controls.tensor));
    for (const operation of this.#operations.slice(0, forwardCount)) this.#run(operation);
  }

  #putPrediction(slot: Slot): void {
    const { build, probabilities, forwardCount } = this.#plan;
    this.#putForward(slot);
    this.#run(this.#operations[forwardCount]); // the softmax
    slot.takeResults(build, probabilities);
  }

  #putStep(slot: Slot): void {
    const { build, loss, forwardCount } = this.#plan;
    this.#putForward(slot);
    for (const operation of this.#operations.slice(forwardCount + 1)) this.#run(operation);
    if (loss !== undefined) slot.takeResults(build, loss.result);
  }

  /** Runs it once as it is, so that libraries load what they need, then makes it one graph. The state stays 0. */
  #captured(work: () => void) {
    const { device } = this.#gpu;
    work();
    device.wait();
    return device.capture(work);
  }

  #run(operation: Operation): void {
    const { scene } = this.#gpu;
    scene.doing = `${operation.layer} ${operation.direction}`;
    operation.run();
    scene.doing = "";
  }

  /** Brings the batch on its way and writes the orders, which the graph brings. */
  #order(slot: Slot, batch: Batch, how: StepOptions & { readonly learning: boolean }): void {
    const { views } = batch;
    this.#samples = views.length;
    const labels = how.learning ? batch.labels : new Int32Array();
    this.#plan.controls.write(slot.orders, { ...how, ...this.#bring(batch, slot.pictures), views, labels });
  }

  /** Where the batch's pictures are on the device, after bringing what isn't there, and each sample's place among them. */
  #bring(batch: Batch, pictures: Pointer | undefined): Pick<Orders, "pictures" | "places"> {
    const { views, held, activations = new Float32Array() } = batch;
    if (held) return { pictures: this.#held.address, places: views.map(({ picture }) => picture) };
    if (pictures !== undefined) return { pictures, places: this.#upload.bring(batch, pictures) };
    this.#begin(activations);
    return { pictures: 0n, places: views.map(() => 0) };
  }

  /** Overwrites the input of a program that begins after a layer; samples the batch lacks are zeros. */
  #begin(activations: Float32Array): void {
    const { build, input } = this.#plan;
    const layout = layoutOf(input, this.batchSize);
    const all = new Float32Array(valueCount(layout));
    all.set(activations);
    build.write(input.tensor, pack(layout, all));
  }

  /** The part of an activation that the latest batch filled, row-major. */
  #readActivation(activation: Activation | undefined): Float32Array {
    if (activation === undefined) throw new AlexnetError("engine", "this program does not keep what is asked for");
    const layout = layoutOf(activation, this.batchSize);
    const values = new Float32Array(valueCount(layout));
    unpack(layout, this.#plan.build.read(activation.tensor), values);
    return values.slice(0, (values.length / this.batchSize) * this.#samples);
  }
}

function trained(step: Graph | undefined): Graph {
  if (step === undefined) throw new Error("compiled to predict"); // checked at the engine's border
  return step;
}
