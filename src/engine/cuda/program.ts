import koffi from "koffi";
import { AlexnetError } from "../../errors.js";
import type { Network } from "../../network/network.js";
import type { ComputeProgram } from "../compute.js";
import type { Batch, CompileOptions, State, StepOptions } from "../engine.js";
import type { Operation, Tensor } from "./build.js";
import { type Graph, isOutOfMemory } from "./driver.js";
import type { Gpu } from "./gpu.js";
import { type Activation, layoutOf } from "./layer.js";
import { pack, unpack, valueCount } from "./layout.js";
import { outcomeOf, RESULT_BYTES } from "./loss.js";
import type { Pointer } from "./native.js";
import { PictureUpload } from "./pictures.js";
import { type Plan, planProgram } from "./plan.js";
import { profileOperations } from "./profile.js";
import { refuseTooLarge, tooLarge } from "./room.js";

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

class CudaProgram implements ComputeProgram {
  readonly batchSize: number;
  readonly memoryBytes: number;
  readonly #gpu: Gpu;
  readonly #plan: Plan;
  readonly #operations: readonly Operation[];
  readonly #upload: PictureUpload;
  /** Host memory that graphs copy from and to: the orders, then the results. */
  readonly #host: Pointer;
  readonly #orders: DataView;
  readonly #results: DataView;
  readonly #forward: Graph;
  readonly #step: Graph | undefined;
  #samples = 0;

  constructor(gpu: Gpu, plan: Plan, { batchSize, mode }: CompileOptions) {
    const { device } = gpu;
    const { build, controls, forwardCount, probabilities, loss } = plan;
    this.#gpu = gpu;
    this.#plan = plan;
    this.batchSize = batchSize;
    this.#operations = build.finish();
    this.memoryBytes = build.memoryBytes;
    this.#upload = new PictureUpload(device);
    build.own(() => this.#upload.close());
    const outputBytes = Math.max(RESULT_BYTES, probabilities.bytes);
    this.#host = device.allocateHost(controls.bytes + outputBytes);
    build.own(() => device.freeHost(this.#host));
    const memory: ArrayBuffer = koffi.view(this.#host, controls.bytes + outputBytes);
    this.#orders = new DataView(memory, 0, controls.bytes);
    this.#results = new DataView(memory, controls.bytes);

    const bringOrders = () => device.copyIn(build.address(controls.tensor), this.#host, controls.bytes);
    const takeResults = (tensor: Tensor, bytes: number) =>
      device.copyOut(this.#host + BigInt(controls.bytes), build.address(tensor), bytes);
    const softmax = this.#operations[forwardCount];
    const runForward = (): void => {
      bringOrders();
      for (const operation of this.#operations.slice(0, forwardCount)) this.#run(operation);
    };
    const predict = (): void => {
      runForward();
      this.#run(softmax);
      takeResults(probabilities, probabilities.bytes);
    };
    const step = (): void => {
      runForward();
      for (const operation of this.#operations.slice(forwardCount + 1)) this.#run(operation);
      if (loss !== undefined) takeResults(loss.result, RESULT_BYTES);
    };
    this.#order(noBatch, notLearning);
    this.#forward = this.#captured(predict);
    this.#step = mode === "train" ? this.#captured(step) : undefined;
  }

  step(batch: Batch, options: StepOptions) {
    this.#order(batch, { ...options, learning: true });
    this.#launch("step", this.#step);
    return outcomeOf(this.#results);
  }

  predict(batch: Batch): Float32Array {
    this.#order(batch, notLearning);
    this.#launch("predict", this.#forward);
    const count = batch.views.length * this.#plan.classes;
    const { buffer, byteOffset } = this.#results;
    return new Float32Array(buffer, byteOffset, count).slice();
  }

  profile(batch: Batch, options: StepOptions, steps: number) {
    const { forwardCount } = this.#plan;
    this.#order(batch, { ...options, learning: true });
    const operations = this.#operations.filter((_, i) => i !== forwardCount); // without the softmax of predictions
    return profileOperations(this.#gpu, operations, this.#step, steps);
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
    this.#gpu.device.wait();
    this.#forward.close();
    this.#step?.close();
    this.#plan.build.close();
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

  #launch(what: string, graph: Graph | undefined): void {
    const { scene, device } = this.#gpu;
    scene.doing = what;
    graph?.launch();
    device.wait();
    scene.doing = "";
  }

  /** Brings the batch on its way and writes the orders, which the graph brings. */
  #order(batch: Batch, orders: StepOptions & { readonly learning: boolean }): void {
    const { build, controls, pictures } = this.#plan;
    const { views } = batch;
    this.#samples = views.length;
    const address = pictures === undefined ? 0n : build.address(pictures);
    const places = pictures === undefined ? views.map(() => 0) : this.#upload.bring(batch, address);
    if (pictures === undefined) this.#begin(batch.activations ?? new Float32Array());
    const labels = orders.learning ? batch.labels : new Int32Array();
    controls.write(this.#orders, { ...orders, ...{ pictures: address, views, places, labels } });
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
