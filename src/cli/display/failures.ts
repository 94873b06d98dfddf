import { AlexnetError, type Hint, withHints } from "../../errors.js";
import { printable } from "../../text.js";
import { commandLineForm } from "./hints.js";
import { columnsOf, wrapLine } from "./layout.js";

/** Says on standard error what went wrong. @returns the exit status for it */
export function reportFailure(error: unknown): number {
  if (error instanceof AlexnetError) {
    process.stderr.write(`${describeProblem(error, "alexnet: ")}\n`);
    if (error.code === "interrupted") return interruptedStatus(error);
    return error.code === "invalid-option" ? 2 : 1;
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`alexnet: a mistake in the program; please report it with what follows\n${trace}\n`);
  return 1;
}

interface Problem {
  readonly problem: string;
  readonly hints: readonly Hint[];
}

/**
 * An error or a warning with flags and commands for its ways out. In a terminal it is wrapped, and each command has a line
 * of its own, which is never broken: it is to be copied.
 * @param columns of the terminal; undefined for one line
 */
export function describeProblem({ problem, hints }: Problem, before = "", columns = columnsOf(process.stderr)): string {
  const form = columns === undefined ? commandLineForm : onLinesOfTheirOwn;
  return (before + withHints(problem, hints, form))
    .split("\n")
    .map((line) => printable(line))
    .map((line) => (line.startsWith(COMMAND) ? line : wrapLine(line.replace(/^, (or )?/, "or ").trimEnd(), columns)))
    .filter((line) => line !== "")
    .join("\n");
}

const COMMAND = "  alexnet ";

const onLinesOfTheirOwn: typeof commandLineForm = {
  ...commandLineForm,
  call: (name, options) => `\n  ${commandLineForm.call(name, options)}\n`,
};

/** 128 + the signal's number, as shells have it. */
function interruptedStatus(error: AlexnetError): number {
  return error.cause === "SIGTERM" ? 143 : error.cause === "SIGHUP" ? 129 : 130;
}
