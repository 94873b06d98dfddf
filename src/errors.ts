/** What kind of thing went wrong. Callers branch on it; messages are for people. */
export type ErrorCode =
  | "usage" // arguments or options that can't be meant
  | "network" // a network description that breaks a rule
  | "data" // pictures, folders, archives, stores
  | "engine" // native libraries, devices, memory
  | "run" // run folders and checkpoints
  | "format" // files of other programs, and ours when damaged
  | "overflow" // numbers that are not finite any more
  | "interrupted"; // stopped by the user

/**
 * Every error this project raises on purpose. The message names the thing, the rule it breaks and the way out:
 * `conv2: 96 channels are not divisible by groups=5`.
 */
export class AlexnetError extends Error {
  override readonly name = "AlexnetError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
