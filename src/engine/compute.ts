import type { Layer, Network } from "../network/network.js";
import type {
  Batch,
  CompileOptions,
  Engine,
  EngineDescription,
  LayerInputs,
  LayerOutputs,
  LossOutputs,
  Program,
  State,
  StepOptions,
  StepResult,
  Tensor,
} from "./engine.js";

/** What an engine's folder implements: the contract of engine.ts without promises. It lives on the compute thread. */
export type ComputeEngine = {
  readonly description: EngineDescription;
  compile(network: Network, options: CompileOptions): ComputeProgram;
  estimateMemory(network: Network, options: Pick<CompileOptions, "batchSize" | "mode">): number;
  differentiate(layer: Layer, inputs: LayerInputs): LayerOutputs;
  crossEntropy(logits: Tensor, labels: Int32Array): LossOutputs;
  measureMatrixRate(size: number): number;
  close(): void;
} & Record<Exclude<keyof Engine, "description">, unknown>;

export type ComputeProgram = {
  readonly batchSize: number;
  readonly memoryBytes: number;
  step(batch: Batch, options: StepOptions): StepResult;
  predict(batch: Batch): Float32Array;
  read(state: State): Float32Array;
  write(state: "parameters" | "momentum", values: Float32Array): void;
  close(): void;
} & Record<Exclude<keyof Program, "batchSize" | "memoryBytes">, unknown>;
