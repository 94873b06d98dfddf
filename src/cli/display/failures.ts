import { CommanderError } from "commander";
import { AlexnetError, withHints } from "../../errors.js";
import { printable } from "../../text.js";
import { commandLineForm } from "./hints.js";

/** Says on stderr what went wrong and returns the exit status for it. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has printed it
  if (error instanceof AlexnetError) {
    process.stderr.write(`alexnet: ${describeFailure(error).split("\n").map(printable).join("\n")}\n`);
    return { "invalid-option": 2, interrupted: interruptedStatus(error) }[error.code as string] ?? 1;
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`alexnet: a mistake in the program; please report it with what follows\n${trace}\n`);
  return 1;
}

/** An error's message with flags and commands in place of the library's names. */
export function describeFailure(error: AlexnetError): string {
  return withHints(error.problem, error.hints, commandLineForm);
}

/** A file that can't be read: said at once, and by the exit status at the end. */
export function reportUnreadable(error: string): void {
  process.stderr.write(`alexnet: ${error}\n`);
  process.exitCode = 1;
}

/** 128 + the signal's number, as shells have it. */
function interruptedStatus(error: AlexnetError): number {
  return error.cause === "SIGTERM" ? 143 : error.cause === "SIGHUP" ? 129 : 130;
}

/** `alexnet runs | head` closes our output early: that is no error. */
export function endQuietlyWhenOutputCloses(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
  process.stderr.on("error", () => {}); // a terminal that went away must not end a training run
}
