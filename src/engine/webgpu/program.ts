import { AlexnetError } from "../../errors.js";
import type { Network } from "../../network/network.js";
import type { Batch } from "../../network/picture.js";
import type { ComputeProgram } from "../compute.js";
import type {
  AlgorithmChoices,
  CompileOptions,
  ForwardOptions,
  GradientBucket,
  State,
  StepOptions,
  StepResult,
  UpdateOptions,
} from "../engine.js";
import type { Phase } from "../program/operations.js";
import type { StepInputs } from "../program/step-inputs.js";
import type { PreparedOperation } from "./build.js";
import type { Tensor } from "./dispatch.js";
import { type Gpu, Usage } from "./gpu.js";
import type { Activation } from "./layer.js";
import { outcomeOf, RESULT_WORDS } from "./layers/loss.js";
import { putOnPass } from "./passes.js";
import { PictureUpload } from "./pictures.js";
import { type Plan, planProgram } from "./plan.js";
import { profileOperations } from "./profile.js";

const notLearning = { learning: false, seed: 0, learningRate: 0, momentum: 0, weightDecay: 0, divisor: 0 } as const;

type StepKind = Pick<StepInputs, "learning" | "scoring" | "seed" | "divisor" | "firstSample"> & UpdateOptions;

/** Batches under way at once: while the device works on one, the next is brought and lined up behind it. */
const BATCHES = 2;

/** @throws AlexnetError "memory" when memory is short, "engine" when the device refuses; what was made is freed. */
export async function compileProgram(gpu: Gpu, network: Network, options: CompileOptions): Promise<ComputeProgram> {
  const plan = planProgram(gpu, network, options);
  try {
    const operations = await plan.build.finish();
    const answerBytes = 4 * Math.max(RESULT_WORDS, plan.probabilities.length);
    const answers: GPUBuffer[] = [];
    for (let i = 0; i < BATCHES; i++) answers.push(await gpu.allocate(answerBytes, Usage.mapRead | Usage.copyTo));
    const gradientBytes = options.bucketBytes === undefined ? [] : bucketBytes(plan);
    const staging: GPUBuffer[] = [];
    for (const bytes of gradientBytes) staging.push(await gpu.allocate(bytes, Usage.mapRead | Usage.copyTo));
    return new WebGpuProgram(gpu, plan, options, { operations, answers, staging });
  } catch (error) {
    plan.build.close();
    throw error;
  }
}

function bucketBytes({ walk, parameters }: Plan): readonly number[] {
  return walk.buckets.map((layers) => parameters.gradientsOf(layers).bytes);
}

interface Ready {
  readonly operations: readonly PreparedOperation[];
  /** By which results come back, in turn. */
  readonly answers: readonly GPUBuffer[];
  /** By bucket, by which its gradients come back. */
  readonly staging: readonly GPUBuffer[];
}

/**
 * WebGPU has a command buffer submitted once: each step records its own, of pipelines and bindings that were made when the
 * program was compiled.
 */
class WebGpuProgram implements ComputeProgram {
  readonly batchSize: number;
  readonly memoryBytes: number;
  readonly algorithms: AlgorithmChoices;
  readonly batchesAtOnce = BATCHES;
  readonly buckets: readonly (GradientBucket & { readonly values: Float32Array<SharedArrayBuffer> })[];
  readonly #gpu: Gpu;
  readonly #plan: Plan;
  readonly #ready: Ready;
  readonly #upload: PictureUpload | undefined;
  /** Of a program that begins after a layer: a batch's values, and zeros for samples it lacks. */
  readonly #activations: Float32Array<ArrayBuffer>;
  /** Batches so far; they use the answers' buffers in turn. */
  #batches = 0;
  /** In the latest batch. */
  #samples = 0;

  constructor(gpu: Gpu, plan: Plan, { batchSize, preprocessing }: CompileOptions, ready: Ready) {
    this.#gpu = gpu;
    this.#plan = plan;
    this.#ready = ready;
    this.batchSize = batchSize;
    this.memoryBytes = plan.build.memoryBytes;
    this.algorithms = plan.build.algorithms;
    this.#upload = plan.pictures && new PictureUpload(plan.build, plan.pictures, preprocessing);
    this.#activations = new Float32Array(plan.pictures === undefined ? plan.input.tensor.length : 0);
    const { walk, parameters } = plan;
    this.buckets = ready.staging.map(({ size }, i) => ({
      layers: walk.buckets[i],
      values: new Float32Array(new SharedArrayBuffer(Math.min(size, parameters.gradientsOf(walk.buckets[i]).bytes))),
    }));
  }

  step(batch: Batch, options: StepOptions): Promise<StepResult> {
    this.#bring(batch, { ...options, learning: true, divisor: batch.views.length });
    return this.#outcome("step", ["forward", "loss", "backward", "update"]);
  }

  async predict(batch: Batch): Promise<Float32Array> {
    this.#bring(batch, notLearning);
    const { probabilities, classes } = this.#plan;
    const count = batch.views.length * classes;
    return this.#answer("predict", ["forward", "prediction"], probabilities, (bytes) =>
      new Float32Array(bytes).slice(0, count),
    );
  }

  forward(
    batch: Batch,
    { seed, samples: divisor = batch.views.length, firstSample }: ForwardOptions,
  ): Promise<StepResult> {
    this.#bring(batch, { ...notLearning, learning: true, seed, divisor, firstSample });
    return this.#outcome("forward", ["forward", "loss"]);
  }

  async backward(bucket: number): Promise<void> {
    const { parameters, build } = this.#plan;
    const { layers, values } = this.buckets[bucket];
    const staging = this.#ready.staging[bucket];
    const { buffer, offset } = build.place(parameters.gradientsOf(layers));
    const encoder = this.#recorded(["backward"], bucket);
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, values.byteLength);
    this.#gpu.device.queue.submit([encoder.finish()]);
    const what = `backward of ${layers.join(", ")}`;
    values.set(new Float32Array(await this.#gpu.mapped(staging, values.byteLength, what)));
    staging.unmap();
  }

  async update(options: UpdateOptions): Promise<void> {
    const { parameters, build, inputs } = this.#plan;
    for (const { layers, values } of this.buckets) build.write(parameters.gradientsOf(layers), values);
    inputs.writeRates(options);
    this.#gpu.device.queue.submit([this.#recorded(["update"]).finish()]);
    await this.#gpu.wait();
  }

  async scoreGradient(batch: Batch): Promise<Float32Array> {
    this.#bring(batch, { ...notLearning, scoring: true });
    this.#gpu.device.queue.submit([this.#recorded(["forward", "loss", "backward"]).finish()]);
    return this.inputGradient();
  }

  profile(batch: Batch, options: StepOptions, steps: number) {
    this.#bring(batch, { ...options, learning: true, divisor: batch.views.length });
    const operations = this.#ready.operations.filter(({ phase }) => phase !== "prediction");
    return profileOperations(this.#gpu, operations, steps);
  }

  activation(layer: string): Promise<Float32Array> {
    return this.#readActivation(this.#plan.walk.observed.get(layer));
  }

  inputGradient(): Promise<Float32Array> {
    return this.#readActivation(this.#plan.inputGradient);
  }

  async read(state: State): Promise<Float32Array> {
    await this.#plan.parameters.fetch(state);
    return this.#plan.parameters.read(state);
  }

  write(state: "parameters" | "momentum", values: Float32Array): void {
    this.#plan.parameters.write(state, values);
  }

  async close(): Promise<void> {
    this.#plan.build.close();
    for (const buffer of [...this.#ready.answers, ...this.#ready.staging]) buffer.destroy();
  }

  #outcome(what: string, phases: readonly Phase[]): Promise<StepResult> {
    const { loss } = this.#plan;
    if (loss === undefined) throw new Error("compiled to predict"); // checked at the engine's border
    return this.#answer(what, phases, loss.result, outcomeOf);
  }

  /** Has the device work through some phases; `take` makes the answer of a tensor then. */
  async #answer<T>(what: string, phases: readonly Phase[], of: Tensor, take: (bytes: ArrayBuffer) => T): Promise<T> {
    const { answers } = this.#ready;
    const answer = answers[this.#batches++ % answers.length];
    const encoder = this.#recorded(phases);
    const { buffer, offset } = this.#plan.build.place(of);
    encoder.copyBufferToBuffer(buffer, offset, answer, 0, of.bytes);
    this.#gpu.device.queue.submit([encoder.finish()]);
    const taken = take(await this.#gpu.mapped(answer, of.bytes, what));
    answer.unmap();
    return taken;
  }

  /** The operations of some phases; of "backward" those of one bucket, or all. */
  #recorded(phases: readonly Phase[], bucket?: number): GPUCommandEncoder {
    const encoder = this.#gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const operation of this.#ready.operations)
      if (phases.includes(operation.phase) && (bucket === undefined || operation.bucket === bucket))
        putOnPass(pass, operation.dispatches);
    pass.end();
    return encoder;
  }

  /** Brings the batch and what the step is told. */
  #bring(batch: Batch, kind: StepKind): void {
    const { views, weights, activations = new Float32Array() } = batch;
    this.#samples = views.length;
    const places = this.#upload?.bring(batch) ?? views.map(() => 0);
    if (this.#upload === undefined) {
      this.#activations.fill(0, activations.length);
      this.#activations.set(activations);
      this.#plan.build.write(this.#plan.input.tensor, this.#activations);
    }
    const labels = kind.learning || kind.scoring ? batch.labels : new Int32Array();
    this.#plan.inputs.write({ ...kind, views, places, labels, weights });
  }

  /** The part of an activation that the latest batch filled. */
  async #readActivation(activation: Activation | undefined): Promise<Float32Array> {
    if (activation === undefined) throw new AlexnetError("engine", "this program does not keep what is asked for");
    const values = await this.#plan.build.read(activation.tensor);
    return values.slice(0, (values.length / this.batchSize) * this.#samples);
  }
}
