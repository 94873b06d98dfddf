import type { Place } from "../mapped-memory.js";
import { isNative } from "../native/memory.js";
import type { CrossingError } from "./crossing-error.js";

/**
 * How threads talk: one protocol for the engine's thread, the pools that load, decode, prepare and verify pictures, the
 * thread that writes a checkpoint and the one that reads Parquet.
 *
 * A thread's entry file serves a *surface*, an object of calls and values (`serve`). Whoever starts the thread gets the
 * same surface with promises (`Thread` in call.ts; `Pool` for several threads of one kind). Both ends are compiled
 * against the same interface, which is what types the messages below. An answer that has a `close` is an object that
 * stays on its thread, such as a compiled program: the caller gets its calls, and closing it lets go of it.
 *
 * Calls are carried out in the order they are made, one at a time, unless the surface keeps the order itself.
 *
 * **Errors cross whole**: code, problem, hints, message, stack, causes, and plain data such as a native status. A thread
 * that dies fails every call under way with an error that names it; later calls are refused with the same error.
 *
 * **The end**: a thread that is asked to end carries out the call it is at, closes its surface, answers, and ends
 * itself. It is never ended from outside while it may be inside of a native call: one that fails just then takes the
 * whole process along. Only a thread of plain JavaScript may be terminated (Parquet's, whose library loops on damaged
 * files). A thread keeps the process running only while a call is under way.
 *
 * **Who owns which memory until when.** Arguments and answers cross in one of four ways:
 *
 * - *Copied*, whatever isn't named below: each side has its own.
 * - *Moved*: buffers named by `moving` belong to the other side from the call, or the answer, on, and are empty on this
 *   one. So go a checkpoint's parameters and momentum, and the memory of a group of pictures (`GroupMemory`), which goes
 *   to the preparing thread with the call and comes back with the answer, over and over. A typed array that is an
 *   answer's whole value moves too: a surface doesn't keep what it answers. What lies outside of JavaScript's heap, such
 *   as a mapped file, can't move: it is copied, and stays what it was on this side.
 * - *Shared*: a SharedArrayBuffer is the same memory on both sides. From the call to the answer it is the thread's;
 *   afterwards the caller's. A loader's slots go round: the thread writes pictures into one until it answers; the slot is
 *   then the batch's until `release()`, and after that a later batch's. A batch whose pictures were handed to a program
 *   is released after `step` or `predict` is answered, not before: until then the engine reads them where they lie. CUDA
 *   pins slots in place and keeps the latest few pinned from batch to batch, so they are used again, not made anew.
 * - *Mapped*: a Float32Array of a mapped file crosses as its place, uncopied. The caller's end keeps the argument until
 *   the call is answered; the thread doesn't look at it afterwards.
 *
 * Memory that is good until the next call only, such as the bytes of a file about to be decoded, never crosses.
 */

/** Made of a surface: `object` 0. Others are objects that stayed. */
export interface CallMessage {
  readonly kind: "call";
  readonly id: number;
  readonly object: number;
  readonly method: string;
  readonly args: readonly Argument[];
}

/** To be answered once the surface is closed; the thread then ends. */
export interface EndMessage {
  readonly kind: "end";
  readonly id: number;
}

export type MessageToThread = CallMessage | EndMessage;

export type Argument = { readonly value: unknown } | { readonly mapped: Place };

/** The call's value. */
export interface AnswerMessage<Value> {
  readonly kind: "answer";
  readonly id: number;
  readonly value: Value;
}

/** An object that stays on the thread: the surface itself, by the id `OPENING`, or what a call answered. */
export interface ReadyMessage<Values> {
  readonly kind: "ready";
  readonly id: number;
  readonly object: number;
  readonly calls: readonly string[];
  /** Its members that are no calls, as they are now. */
  readonly values: Values;
}

export interface FailureMessage {
  readonly kind: "failure";
  readonly id: number;
  readonly error: CrossingError;
}

/** @typeParam Value what is told of values: nothing on the thread; at the caller's end the surface's interface types them */
export type MessageFromThread<Value> = AnswerMessage<Value> | ReadyMessage<Value> | FailureMessage;

/** The id that answers the start of a thread. */
export const OPENING = 0;
/** The surface's own number among the objects of its thread. */
export const SURFACE = 0;

/** What must be closed stays on its thread. */
export interface Closable {
  close(): unknown;
}

export function isClosable(value: unknown): value is Closable {
  return typeof value === "object" && value !== null && "close" in value && typeof value.close === "function";
}

const moved = new WeakMap<object, readonly ArrayBuffer[]>();

/**
 * Has these buffers moved, not copied, when `value` crosses as an argument or an answer; shared ones are shared anyway.
 *
 * @example
 * thread.write(path, moving(checkpoint, [parameters.buffer, momentum.buffer]));
 */
export function moving<T extends object>(value: T, buffers: Iterable<ArrayBufferLike>): T {
  moved.set(value, [...new Set(buffers)].filter(canMove));
  return value;
}

/** Whether a buffer may go over to another thread. */
export function canMove(buffer: ArrayBufferLike): buffer is ArrayBuffer {
  return buffer instanceof ArrayBuffer && !isNative(buffer);
}

/** The buffers that `moving` named. */
export function movedWith(value: unknown): readonly ArrayBuffer[] {
  return (typeof value === "object" && value !== null && moved.get(value)) || [];
}
