import { AlexnetError, type Hint, withHints } from "../../errors.js";
import { printable } from "../../text.js";
import { commandLineForm } from "./hints.js";

/** Says on standard error what went wrong. @returns the exit status for it */
export function reportFailure(error: unknown): number {
  if (error instanceof AlexnetError) {
    process.stderr.write(`alexnet: ${describeProblem(error).split("\n").map(printable).join("\n")}\n`);
    if (error.code === "interrupted") return interruptedStatus(error);
    return error.code === "invalid-option" ? 2 : 1;
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`alexnet: a mistake in the program; please report it with what follows\n${trace}\n`);
  return 1;
}

/** An error or a warning with flags and commands for its ways out. */
export function describeProblem({
  problem,
  hints,
}: {
  readonly problem: string;
  readonly hints: readonly Hint[];
}): string {
  return withHints(problem, hints, commandLineForm);
}

/** 128 + the signal's number, as shells have it. */
function interruptedStatus(error: AlexnetError): number {
  return error.cause === "SIGTERM" ? 143 : error.cause === "SIGHUP" ? 129 : 130;
}
