import type { Pointer } from "./memory.js";
import type { Handle } from "./objects.js";

/**
 * The signatures of native functions as data, from which their TypeScript types follow:
 *
 *     const calls = library.bind({ getenv: ["str", "str"], malloc: ["void *", "size_t"] });
 *     calls.getenv("HOME"); // string | null
 *     calls.malloc("12"); // a type error
 *
 * Handles, descriptors and memory of this process are "void *", addresses on a device "uint64", enumerations "int".
 */

/** What may be passed for an argument of each C type. */
export interface ArgumentTypes {
  readonly "void *": Pointer | ArrayBufferView | Handle | null;
  readonly str: string;
  readonly int: number;
  readonly uint: number;
  readonly uint8: number;
  readonly int64: number | bigint;
  readonly uint64: number | bigint;
  readonly ulong: number | bigint;
  readonly size_t: number | bigint;
  readonly float: number;
  readonly double: number;
}
export type ArgumentType = keyof ArgumentTypes;

/** What a function of each C type gives. */
export interface ResultTypes {
  readonly void: undefined;
  readonly "void *": Pointer | null;
  readonly str: string | null;
  readonly int: number;
  readonly uint: number;
  readonly ulong: number | bigint;
  readonly size_t: number | bigint;
}
export type ResultType = keyof ResultTypes;

/** A function's result, then its arguments. */
export type Signature = readonly [result: ResultType, ...types: readonly ArgumentType[]];
export type Signatures = Readonly<Record<string, Signature>>;

/** The arguments alone, of functions that all give a status. */
export type StatusSignatures = Readonly<Record<string, readonly ArgumentType[]>>;

export type Arguments<Types extends readonly ArgumentType[]> = {
  -readonly [I in keyof Types]: ArgumentTypes[Types[I]];
};

export type NativeFunction<S extends Signature> = S extends readonly [
  infer Result extends ResultType,
  ...infer Types extends readonly ArgumentType[],
]
  ? (...values: Arguments<Types>) => ResultTypes[Result]
  : never;

/** The functions of a table. */
export type NativeFunctions<T extends Signatures> = { readonly [Name in keyof T]: NativeFunction<T[Name]> };

/** The functions of a table, which answer later. */
export type WaitingFunctions<T extends Signatures> = {
  readonly [Name in keyof T]: (
    ...values: Parameters<NativeFunction<T[Name]>>
  ) => Promise<ReturnType<NativeFunction<T[Name]>>>;
};

/** The functions of a table of those that give a status, which is checked after every call. */
export type CheckedFunctions<T extends StatusSignatures> = {
  readonly [Name in keyof T]: (...values: Arguments<T[Name]>) => void;
};
