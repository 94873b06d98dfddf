import { AlexnetError, type Hint } from "./errors.js";

/**
 * What goes down every call that may take long: how to stop it, and where to say how far it is. It can't be left out,
 * so it can't be forgotten.
 */
export interface Task<Event = never> {
  /** Ends the work as soon as it can be ended; the call then throws AlexnetError "interrupted". */
  readonly signal: AbortSignal;
  /** Told what happens, as plain data. Must not throw. */
  readonly report: (event: Event) => void;
}

/** How far long work is. */
export interface ProgressEvent {
  readonly kind: "progress";
  /** What is going on, as a verb: "verifying", "classifying". */
  readonly of: string;
  readonly done: number;
  readonly total: number;
}

/** What the user should know, though the work goes on. */
export interface WarningEvent {
  readonly kind: "warning";
  /** Without its ways out, which are `hints`. */
  readonly problem: string;
  readonly hints: readonly Hint[];
}

/** A picture that is left out because it can't be read. */
export interface UnreadableEvent {
  readonly kind: "unreadable";
  readonly file: string;
  /** What is wrong, the file's name included. */
  readonly error: string;
}

/** What is told while pictures are looked for and gone through. */
export type FindingEvent = ProgressEvent | UnreadableEvent | WarningEvent;

/** What users of the library may give along; all of it can be left out there, and only there. */
export interface TaskOptions<Event> {
  /** Ends the work as soon as it can be ended; the call then throws AlexnetError "interrupted". */
  readonly signal?: AbortSignal;
  /** Told what happens, as plain data. Must not throw. */
  readonly onEvent?: (event: Event) => void;
}

/** The task that a public call's options stand for. */
export function taskOf<Event>({ signal, onEvent }: TaskOptions<Event>): Task<Event> {
  return { signal: signal ?? new AbortController().signal, report: onEvent ?? (() => {}) };
}

/** @throws AlexnetError "interrupted" once the signal is given: "preparing photos: stopped". */
export function throwIfStopped({ signal }: Pick<Task, "signal">, what: string): void {
  if (signal.aborted) throw new AlexnetError("interrupted", `${what}: stopped`, { cause: signal.reason });
}
