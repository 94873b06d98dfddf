import type { HintForm } from "../../errors.js";
import { type Setting, settings } from "../../runs/settings.js";

/** Hints as people type them: `--batch 256`, `alexnet train --resume runs/first`. */
export const commandLineForm: HintForm = {
  option: (name, value) => {
    const argument = unflagged[name];
    if (argument !== undefined) return value === undefined ? argument : quoteForShell(String(value));
    const flag = flagOf(name);
    return value === undefined || typeof value === "boolean" ? flag : `${flag} ${quoteForShell(String(value))}`;
  },
  call: (name, options) => {
    const { command, positional } = commands[name] ?? { command: kebab(name), positional: [] };
    const words = positional.flatMap((option) => (option in options ? [quoteForShell(String(options[option]))] : []));
    const flags = Object.entries(options)
      .filter(([option]) => !positional.includes(option))
      .map(([option, value]) =>
        typeof value === "boolean" ? flagOf(option) : `${flagOf(option)} ${quoteForShell(String(value))}`,
      );
    return ["alexnet", command, ...words, ...flags].join(" ");
  },
};

/** The library's functions as commands, and which of their options are arguments without a flag. */
const commands: Readonly<Record<string, { readonly command: string; readonly positional: readonly string[] }>> = {
  train: { command: "train", positional: ["data"] },
  resume: { command: "train --resume", positional: ["run", "data"] },
  prepare: { command: "prepare", positional: ["source"] },
  listRuns: { command: "runs", positional: ["folder"] },
  importModel: { command: "import", positional: ["path"] },
  findLearningRate: { command: "find-learning-rate", positional: ["data"] },
};

/** Options of the library that are arguments without a flag, as the help writes them. */
const unflagged: Readonly<Record<string, string>> = { data: "[pictures]", set: "<set>", source: "<pictures>" };

const rows: Readonly<Record<string, Setting>> = settings;

/** An option's flag, by the table of settings where it is one; of "preparation.valFraction" the last word counts. */
function flagOf(option: string): string {
  const [first = option, ...rest] = option.split(".");
  const [flag] = rows[first]?.flag.split(" ") ?? [];
  return flag ?? `--${kebab(rest.at(-1) ?? first)}`;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A word that a shell takes as it is, in quotes where it must be. */
export function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
