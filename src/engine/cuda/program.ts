import { AlexnetError } from "../../errors.js";
import type { Network } from "../../network/network.js";
import { type Batch, pictureBytes, pictureSizeOf } from "../../network/picture.js";
import type { Pointer } from "../../system/native/memory.js";
import type { ComputeProgram } from "../compute.js";
import type {
  AlgorithmChoices,
  CompileOptions,
  ForwardOptions,
  GradientBucket,
  State,
  StepOptions,
  UpdateOptions,
} from "../engine.js";
import type { Operation, Phase } from "../program/operations.js";
import { refuseTooLarge, SPARE_BYTES, tooLarge } from "./capacity.js";
import type { Gpu } from "./gpu.js";
import { type Activation, layoutOf } from "./layer.js";
import { pack, unpack, valueCount } from "./layers/layout.js";
import { outcomeOf, RESULT_BYTES } from "./layers/loss.js";
import { type Graph, isOutOfMemory } from "./native/driver.js";
import { HeldPictures, PictureUpload } from "./pictures.js";
import { type Plan, planProgram, SLOTS } from "./plan.js";
import { profileOperations } from "./profile.js";
import { Slot } from "./slot.js";
import { SplitStep } from "./split-step.js";
import type { CudaStepInputs } from "./step-inputs.js";

const notLearning = { learning: false, seed: 0, learningRate: 0, momentum: 0, weightDecay: 0, divisor: 0 } as const;
const noBatch: Batch = { pictures: new Uint8Array(), views: [], labels: new Int32Array() };

/** @throws AlexnetError "memory" when memory is short, "engine" when a library refuses; what was made is freed. */
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

/** A slot, and the graphs that begin with what came by it. */
interface Prepared {
  readonly slot: Slot;
  readonly predict: Graph;
  /** Where the program trains. */
  readonly step?: Graph;
  /** Where steps are split. */
  readonly forward?: Graph;
  readonly update?: Graph;
  /** Where the gradient of the input is wanted. */
  readonly score?: Graph;
}

type StepKind = Pick<CudaStepInputs, "learning" | "scoring" | "seed" | "divisor" | "firstSample"> & UpdateOptions;

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
  readonly #split: SplitStep | undefined;
  readonly #slots: readonly Prepared[];
  /** Batches so far; they use the slots in turn. */
  #batches = 0;
  /** In the latest batch. */
  #samples = 0;

  constructor(gpu: Gpu, plan: Plan, { batchSize, mode, bucketBytes, preprocessing, inputGradient }: CompileOptions) {
    const { build, inputs, probabilities, pictures } = plan;
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
    this.batchesAtOnce = SLOTS.length;
    const resultBytes = Math.max(RESULT_BYTES, probabilities.bytes);
    const slots = SLOTS.map((i) => {
      const own = pictures?.[i];
      const slot = new Slot(build, inputs.all.bytes, resultBytes, own && build.address(own));
      this.#write(slot, noBatch, notLearning);
      return slot;
    });
    const training = mode === "train";
    const splits = bucketBytes !== undefined;
    const [first] = slots;
    if (splits) first.bringInputs(build.address(inputs.all));
    this.#split = splits
      ? new SplitStep(plan, (bucket) => this.#captured(() => this.#run("backward", bucket)))
      : undefined;
    this.#slots = slots.map((slot) => ({
      slot,
      predict: this.#captured(() => this.#putPrediction(slot)),
      step: training ? this.#captured(() => this.#putStep(slot)) : undefined,
      forward: splits ? this.#captured(() => this.#putForward(slot)) : undefined,
      update: splits ? this.#captured(() => this.#putUpdate(slot)) : undefined,
      score: inputGradient ? this.#captured(() => this.#putScore(slot)) : undefined,
    }));
  }

  get buckets(): readonly GradientBucket[] {
    return this.#split?.buckets ?? [];
  }

  /** Leaves room for another program such as this: what looks for a divergence is one. */
  reserve(count: number): number {
    for (const { slot } of this.#slots) slot.settle();
    return this.#plan.pictures === undefined ? 0 : this.#held.reserve(count, SPARE_BYTES + this.memoryBytes);
  }

  hold(pictures: Uint8Array): void {
    this.#held.add(pictures);
  }

  async step(batch: Batch, options: StepOptions) {
    const { slot, step } = this.#nextSlot();
    this.#write(slot, batch, { ...options, learning: true, divisor: batch.views.length });
    return slot.launch("step", () => compiled(step).launch(), outcomeOf);
  }

  async predict(batch: Batch) {
    const { slot, predict } = this.#nextSlot();
    this.#write(slot, batch, notLearning);
    const count = batch.views.length * this.#plan.classes;
    return slot.launch(
      "predict",
      () => predict.launch(),
      ({ buffer, byteOffset }) => new Float32Array(buffer, byteOffset, count).slice(),
    );
  }

  async forward(batch: Batch, { seed, samples: divisor = batch.views.length, firstSample }: ForwardOptions) {
    const { slot, forward } = this.#nextSlot();
    this.#write(slot, batch, { ...notLearning, learning: true, seed, divisor, firstSample });
    return slot.launch("forward", () => compiled(forward).launch(), outcomeOf);
  }

  async scoreGradient(batch: Batch) {
    const { slot, score } = this.#nextSlot();
    this.#write(slot, batch, { ...notLearning, scoring: true });
    await slot.launch(
      "score gradient",
      () => compiled(score).launch(),
      () => {},
    );
    return this.inputGradient();
  }

  async backward(bucket: number): Promise<void> {
    await this.#split?.backward(bucket);
  }

  async update(options: UpdateOptions): Promise<void> {
    const { slot, update } = this.#latestSlot;
    slot.settle();
    this.#plan.inputs.writeRates(slot.inputs, options);
    const put = (): void => {
      this.#split?.bringGradients();
      compiled(update).launch();
    };
    return slot.launch("update", put, () => {});
  }

  profile(batch: Batch, options: StepOptions, steps: number) {
    const { slot, step } = this.#nextSlot();
    const { build, inputs } = this.#plan;
    this.#write(slot, batch, { ...options, learning: true, divisor: batch.views.length });
    const operations = this.#operations.filter(({ phase }) => phase !== "prediction");
    const bringInputs = () => slot.bringInputs(build.address(inputs.all));
    return profileOperations(this.#gpu, bringInputs, operations, compiled(step), steps);
  }

  activation(layer: string): Float32Array {
    return this.#readActivation(this.#plan.walk.observed.get(layer));
  }

  inputGradient(): Float32Array {
    return this.#readActivation(this.#plan.inputGradient);
  }

  read(state: State): Float32Array {
    return this.#plan.parameters.read(state);
  }

  write(state: "parameters" | "momentum", values: Float32Array): void {
    this.#plan.parameters.write(state, values);
  }

  close(): void {
    this.#split?.settle();
    for (const { slot, ...graphs } of this.#slots) {
      slot.settle();
      for (const graph of Object.values(graphs)) graph?.close();
    }
    this.#plan.build.close();
  }

  /** The slot whose turn it is, once nothing uses it any more. */
  #nextSlot(): Prepared {
    this.#batches++;
    const next = this.#latestSlot;
    next.slot.settle();
    return next;
  }

  get #latestSlot(): Prepared {
    return this.#slots[this.#batches % this.#slots.length];
  }

  #putPrediction(slot: Slot): void {
    const { build, inputs, probabilities } = this.#plan;
    slot.bringInputs(build.address(inputs.all));
    this.#run("forward");
    this.#run("prediction");
    slot.takeResults(build.address(probabilities), probabilities.bytes);
  }

  #putStep(slot: Slot): void {
    this.#putLoss(slot);
    this.#run("backward");
    this.#run("update");
    this.#takeOutcome(slot);
  }

  #putScore(slot: Slot): void {
    this.#putLoss(slot);
    this.#run("backward");
  }

  #putForward(slot: Slot): void {
    this.#putLoss(slot);
    this.#takeOutcome(slot);
  }

  #putUpdate(slot: Slot): void {
    const { build, inputs } = this.#plan;
    slot.bringInputs(build.address(inputs.all));
    this.#run("update");
  }

  #putLoss(slot: Slot): void {
    const { build, inputs } = this.#plan;
    slot.bringInputs(build.address(inputs.all));
    this.#run("forward");
    this.#run("loss");
  }

  #takeOutcome(slot: Slot): void {
    const { build, loss } = this.#plan;
    if (loss !== undefined) slot.takeResults(build.address(loss.result), loss.result.bytes);
  }

  /** Runs it once as it is, so that libraries load what they need, then makes it one graph. The state stays 0. */
  #captured(work: () => void): Graph {
    const { device } = this.#gpu;
    work();
    device.wait();
    return device.capture(work);
  }

  /** Puts a phase's operations on the stream; of "backward" those of one bucket, or all. */
  #run(phase: Phase, bucket?: number): void {
    const { scene } = this.#gpu;
    for (const operation of this.#operations) {
      if (operation.phase !== phase || (bucket !== undefined && operation.bucket !== bucket)) continue;
      scene.doing = `${operation.layer} ${operation.direction}`;
      operation.run();
      scene.doing = "";
    }
  }

  /** Brings the batch on its way and writes the step inputs, which the graph brings. */
  #write(slot: Slot, batch: Batch, kind: StepKind): void {
    const { views } = batch;
    this.#samples = views.length;
    const labels = kind.learning || kind.scoring ? batch.labels : new Int32Array();
    const { weights } = batch;
    this.#plan.inputs.write(slot.inputs, { ...kind, ...this.#bring(batch, slot.pictures), views, labels, weights });
  }

  /** Where the batch's pictures are on the device, after bringing what isn't there, and each sample's place among them. */
  #bring(batch: Batch, pictures: Pointer | undefined): Pick<CudaStepInputs, "pictures" | "places"> {
    const { views, held, activations = new Float32Array() } = batch;
    if (held) return { pictures: this.#held.address, places: views.map(({ picture }) => picture) };
    if (pictures !== undefined) return { pictures, places: this.#upload.bring(batch, pictures) };
    this.#writeActivations(activations);
    return { pictures: 0n, places: views.map(() => 0) };
  }

  /** Overwrites the input of a program that begins after a layer; samples the batch lacks are zeros. */
  #writeActivations(activations: Float32Array): void {
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

function compiled(graph: Graph | undefined): Graph {
  if (graph === undefined) throw new Error("compiled without it"); // checked at the engine's border
  return graph;
}
