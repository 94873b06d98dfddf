import type { Network } from "../network/network.js";
import type { CompileOptions, Engine, Program } from "./engine.js";

/**
 * What an engine's folder implements: the contract of engine.ts, on the thread that computes.
 *
 * Every call may answer at once or promise to answer later, as suits the device: a CPU computes in the call; a GPU works
 * by itself, and its values come by promises. An engine doesn't keep the order of its calls. The host does
 * (`host/in-order.ts`): the next call is made once the one before is answered, so a call finds everything as the call
 * before left it, and what is called after a step reads what the step wrote. Arguments are checked before
 * (`host/checked.ts`): an engine trusts what it is given.
 *
 * One thing overlaps. A device that computes by itself would wait from one step's end to the next step's call, and while
 * the next step's pictures are brought. So a program may say in `batchesAtOnce` how many batches it takes: with 2, a
 * `step` that is asked for while the one before is unanswered is called at once, and can bring its pictures and line up
 * its work behind the other's. Everything else, other programs' batches included, waits until no batch is under way. A
 * batch's pictures belong to the engine until its call is answered.
 */
export interface ComputeEngine extends Omit<MayPromise<Engine>, "compile"> {
  compile(network: Network, options: CompileOptions): ComputeProgram | Promise<ComputeProgram>;
}

/** One whose device has memory of its own holds pictures. */
export interface ComputeProgram
  extends Omit<MayPromise<Program>, Holding>,
    Partial<Pick<MayPromise<Program>, Holding>> {
  /** How many batches (`step`, `predict`, or parts of a split step) may be under way at once. Default 1. */
  readonly batchesAtOnce?: number;
}

type Holding = "reserve" | "hold";

type MayPromise<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R | Promise<R> : T[K];
};
