import type { ErrorCode } from "../../errors.js";
import { type Place, placeOf, valuesAt } from "../../system/mapped-memory.js";
import type { Engine, EngineName, Precision, Program } from "../engine.js";

/** How the main thread and the compute thread talk: what crosses, and in which messages. */

/**
 * How each member of `T` crosses: a value once, when its object is made; a call each time; a call that makes a
 * program leaves the program behind and hands over its handle.
 */
export type Surface<T> = {
  readonly [K in keyof T]-?: T[K] extends (...args: never) => Promise<infer R>
    ? R extends Program
      ? "program"
      : "call"
    : "value";
};

export const engineSurface: Surface<Engine> = {
  description: "value",
  choice: "value",
  compile: "program",
  estimateMemory: "call",
  differentiate: "call",
  crossEntropy: "call",
  multiply: "call",
  measureMatrixRate: "call",
  measureCopyRate: "call",
  close: "call",
};

export const programSurface: Surface<Program> = {
  batchSize: "value",
  memoryBytes: "value",
  algorithms: "value",
  reserve: "call",
  hold: "call",
  step: "call",
  buckets: "value",
  forward: "call",
  backward: "call",
  update: "call",
  predict: "call",
  profile: "call",
  activation: "call",
  inputGradient: "call",
  read: "call",
  write: "call",
  close: "call",
};

export interface OpenOptions {
  /** Threads that compute; what the engine finds best where not given. */
  readonly threads?: number;
  /** What products are computed in; the fastest the engine has where not given. */
  readonly precision?: Precision;
}

/** What the compute thread starts with. */
export interface Start {
  readonly name: EngineName;
  readonly options: OpenOptions;
}

/** An object that stays on the compute thread: its handle and a copy of its values. */
export interface Remote {
  readonly handle: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The engine's handle; programs count from 1. */
export const ENGINE = 0;

export interface Request {
  readonly id: number;
  readonly handle: number;
  readonly method: string;
  readonly args: readonly Packed[];
}

/** An argument of a call as it crosses: mapped values by their place, everything else as the message port does it. */
export type Packed = { readonly value: unknown } | { readonly mapped: Place };

/** The caller keeps mapped values until the call is answered. */
export function pack(argument: unknown): Packed {
  const mapped = argument instanceof Float32Array ? placeOf(argument) : undefined;
  return mapped === undefined ? { value: argument } : { mapped };
}

export function unpack(packed: Packed): unknown {
  return "mapped" in packed ? valuesAt(packed.mapped) : packed.value;
}

/** The answer to the request of this id; id 0 answers the start. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | {
      readonly id: number;
      readonly error: { readonly code: ErrorCode | undefined; readonly message: string; readonly stack: string };
    };
