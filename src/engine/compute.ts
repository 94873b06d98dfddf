import type { Network } from "../network/network.js";
import type { CompileOptions, Engine, Program } from "./engine.js";

type Synchronous<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R : T[K];
};

/** What an engine's folder implements: the contract of engine.ts without promises. It lives on the compute thread. */
export interface ComputeEngine extends Omit<Synchronous<Engine>, "compile"> {
  compile(network: Network, options: CompileOptions): ComputeProgram;
}

export type ComputeProgram = Synchronous<Program>;
