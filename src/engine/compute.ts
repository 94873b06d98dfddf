import type { Network } from "../network/network.js";
import type { Batch } from "../network/picture.js";
import type { CompileOptions, Engine, ForwardOptions, Program, StepOptions, StepResult } from "./engine.js";

type Synchronous<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R : T[K];
};

/** What an engine's folder implements: the contract of engine.ts without promises. It lives on the compute thread. */
export interface ComputeEngine extends Omit<Synchronous<Engine>, "compile"> {
  compile(network: Network, options: CompileOptions): ComputeProgram;
}

type Holding = "reserve" | "hold";

/**
 * An engine whose device works by itself may promise the answer of a batch; calls that come meanwhile find everything
 * as if it had answered. One whose device has memory of its own holds pictures.
 */
export interface ComputeProgram
  extends Omit<Synchronous<Program>, "step" | "predict" | "forward" | "backward" | Holding>,
    Partial<Pick<Synchronous<Program>, Holding>> {
  step(batch: Batch, options: StepOptions): StepResult | Promise<StepResult>;
  predict(batch: Batch): Float32Array | Promise<Float32Array>;
  forward(batch: Batch, options: ForwardOptions): StepResult | Promise<StepResult>;
  backward(bucket: number): void | Promise<void>;
}
