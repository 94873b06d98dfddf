/** What went wrong. Callers branch on it; messages are for people. */
export type ErrorCode =
  | "invalid-option" // an invalid argument or option
  | "invalid-network" // a network description that breaks a rule
  | "incomplete-model" // a model file that leaves out what predictions depend on
  | "not-found" // a file, folder, run, store, class or layer that isn't there
  | "already-exists" // something is there that would be overwritten
  | "in-use" // another process holds it
  | "damaged-file" // not whole, or not of its form: our own files and other programs'
  | "unsupported" // understood, but nothing this project can do
  | "unreadable-picture" // a picture file that can't be read or decoded
  | "unusable-data" // pictures that can't be trained on or evaluated
  | "classes-differ" // the classes of pictures, network and run are not the same
  | "settings-differ" // what is asked for is not what a run, store or file was begun with
  | "memory" // more than the machine or device has free
  | "disk" // full, or not to be written to
  | "engine" // a native library or device that is missing or fails
  | "not-finite" // numbers that overflowed
  | "closed" // used after it was closed
  | "interrupted"; // stopped by the caller's signal

/**
 * The way out of an error or a warning, as data: an option to set, or a call to make. Library users read the option's
 * name, the command line turns it into a flag, a page into a field.
 */
export type Hint = OptionHint | CallHint;

export interface OptionHint {
  /** What to do, as an imperative clause: "give a smaller batch". Default "set". */
  readonly advice?: string;
  /** The option's name as the library has it: "batchSize". */
  readonly option: string;
  /** A value that is known to help. */
  readonly value?: string | number | boolean;
}

export interface CallHint {
  /** What the call does, as an imperative clause: "resume it". */
  readonly advice: string;
  /** A function of the library: "resume". */
  readonly call: string;
  /** What to call it with. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

/** How hints are written for one kind of reader. */
export interface HintForm {
  option(name: string, value: OptionHint["value"]): string;
  call(name: string, options: CallHint["options"]): string;
}

/** For users of the library: `batchSize: 256`, `resume({ run: "runs/first" })`. */
const libraryForm: HintForm = {
  option: (name, value) => (value === undefined ? name : `${name}: ${JSON.stringify(value)}`),
  call: (name, options) => {
    const list = Object.entries(options).map(([option, value]) => `${option}: ${JSON.stringify(value)}`);
    return `${name}({ ${list.join(", ")} })`;
  },
};

/** A problem and its ways out in one line: "…, 3.9 GB are free; give a smaller batch (batchSize: 256)". */
export function withHints(problem: string, hints: readonly Hint[], form: HintForm = libraryForm): string {
  if (hints.length === 0) return problem;
  return `${problem}; ${hints.map((hint) => describeHint(hint, form)).join(", or ")}`;
}

function describeHint(hint: Hint, form: HintForm): string {
  if ("call" in hint) return `${hint.advice}: ${form.call(hint.call, hint.options)}`;
  const option = form.option(hint.option, hint.value);
  return hint.advice === undefined ? `set ${option}` : `${hint.advice} (${option})`;
}

export interface ErrorDetails extends ErrorOptions {
  readonly hint?: Hint | readonly Hint[];
}

/**
 * Every error this project raises on purpose. The message names the thing, the rule it breaks and the way out:
 * `conv2: 96 channels are not divisible by groups=5`.
 *
 * @example
 * throw new AlexnetError("memory", "batches of 512 need 7.1 GB, 3.9 GB are free", {
 *   hint: { advice: "give a smaller batch", option: "batchSize", value: 256 },
 * });
 */
export class AlexnetError extends Error {
  override readonly name = "AlexnetError";
  /** The message without its ways out, which are `hints`. */
  readonly problem: string;
  readonly hints: readonly Hint[];

  constructor(
    readonly code: ErrorCode,
    problem: string,
    { hint = [], ...options }: ErrorDetails = {},
  ) {
    const hints = Array.isArray(hint) ? (hint as readonly Hint[]) : [hint as Hint];
    super(withHints(problem, hints), options);
    this.problem = problem;
    this.hints = hints;
  }
}
