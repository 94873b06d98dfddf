import { AlexnetError, type ErrorCode, type Hint } from "../../errors.js";

/** An error in a form that crosses between threads whole: those of our own class would lose code, problem and hints. */
export interface CrossingError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of our own class. */
  readonly own?: { readonly code: ErrorCode; readonly problem: string; readonly hints: readonly Hint[] };
  readonly cause?: CrossingError;
  /** Whatever else it carries that is plain: a native status, the system's errno, syscall and path. */
  readonly data: Readonly<Record<string, Plain>>;
}

type Plain = string | number | bigint | boolean;

const DEEPEST = 8; // causes of causes: some refer back

export function packError(thrown: unknown, depth = 0): CrossingError {
  if (!(thrown instanceof Error)) return { name: "Error", message: String(thrown), stack: undefined, data: {} };
  const { name, message, stack, cause } = thrown;
  return {
    name,
    message,
    stack,
    own:
      thrown instanceof AlexnetError ? { code: thrown.code, problem: thrown.problem, hints: thrown.hints } : undefined,
    cause: cause === undefined || depth === DEEPEST ? undefined : packError(cause, depth + 1),
    data: plainDataOf(thrown),
  };
}

/** The error as it was thrown, its stack included. Subclasses come as AlexnetError or Error with their data. */
export function unpackError({ name, message, stack, own, cause, data }: CrossingError): Error {
  const options = cause === undefined ? {} : { cause: unpackError(cause) };
  const error =
    own === undefined
      ? new Error(message, options)
      : new AlexnetError(own.code, own.problem, { ...options, hint: own.hints });
  Object.assign(error, data);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  if (stack !== undefined) error.stack = stack;
  return error;
}

function plainDataOf(error: Error): Record<string, Plain> {
  const apart = new Set(["name", "message", "stack", "cause", ...(error instanceof AlexnetError ? OWN : [])]);
  const isPlain = (value: unknown): value is Plain => ["string", "number", "bigint", "boolean"].includes(typeof value);
  return Object.fromEntries(
    Object.entries(error).flatMap(([key, value]) => (!apart.has(key) && isPlain(value) ? [[key, value]] : [])),
  );
}

const OWN = ["code", "problem", "hints"];
