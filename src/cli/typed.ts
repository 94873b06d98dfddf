import { Command } from "commander";

/**
 * Adds a command whose options are typed by @commander-js/extra-typings. Both packages share one class; only their
 * types differ.
 */
export function addTyped(program: Command, command: object): void {
  if (!(command instanceof Command)) throw new TypeError("@commander-js/extra-typings brought its own commander");
  program.addCommand(command);
}
