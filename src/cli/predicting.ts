import { type Command, Option, type OptionValues } from "@commander-js/extra-typings";
import { precisionChoices } from "../engine/engine.js";
import { engineNames } from "../engine/host/engines.js";
import { settings } from "../runs/settings.js";
import { choice, ENGINE_HELP, PRECISION_HELP, VIEWS_HELP, viewCount, wholeNumber } from "./flags.js";

/** Options that several commands share, a row each: flag, help, how its text is read, and what holds without it. */
const shared = {
  views: { flag: "--views <count>", help: VIEWS_HELP, parse: viewCount, default: 1 },
  split: {
    flag: "--split <name>",
    help: "val, train, all, or test for what is in test/; default val, of an undivided set all",
    parse: choice(["val", "train", "all", "test"]),
  },
  allowMissingClasses: {
    flag: "--allow-missing-classes",
    help: "leave out classes that only the pictures or only the network have",
  },
  imageColumn: { flag: settings.imageColumn.flag, help: settings.imageColumn.help, parse: String },
  labelColumn: { flag: settings.labelColumn.flag, help: settings.labelColumn.help, parse: String },
  batch: { flag: "--batch <pictures>", help: "pictures a batch; no result depends on it", parse: wholeNumber(1) },
  checkpoint: { flag: "--checkpoint <name>", help: "best or last", parse: choice(["best", "last"]), default: "best" },
  workers: { flag: "--workers <count>", help: "threads that load pictures", parse: wholeNumber(1) },
  engine: { flag: "--engine <name>", help: ENGINE_HELP, parse: choice(["auto", ...engineNames]), default: "auto" },
  precision: { flag: "--precision <name>", help: PRECISION_HELP, parse: choice(precisionChoices) },
  threads: { flag: "--threads <count>", help: "threads that compute", parse: wholeNumber(1) },
  json: { flag: "--json", help: "print JSON" },
} satisfies Readonly<Record<string, Row>>;

interface Row {
  readonly flag: string;
  readonly help: string;
  readonly parse?: (text: string) => unknown;
  readonly default?: unknown;
}

type Name = keyof typeof shared;
type Value<R> = R extends { parse: (text: string) => infer T }
  ? R extends { default: unknown }
    ? T
    : T | undefined
  : true | undefined;
type Values<N extends Name> = { readonly [K in N]: Value<(typeof shared)[K]> };

const forComputing = ["engine", "precision", "threads", "json"] as const;
const forLooking = ["checkpoint", ...forComputing] as const;
const forPredicting = ["workers", ...forLooking] as const;
const forEvaluating = [
  "views",
  "split",
  "allowMissingClasses",
  "imageColumn",
  "labelColumn",
  "batch",
  ...forPredicting,
] as const;

/** Adds what every command takes that computes: engine, precision, threads, and JSON in place of text. */
export function computing<Args extends unknown[], Options extends OptionValues>(command: Command<Args, Options>) {
  return adding(command, forComputing);
}

/** Adds what a command takes that looks at one picture: the trained network's checkpoint, and all of `computing`. */
export function looking<Args extends unknown[], Options extends OptionValues>(command: Command<Args, Options>) {
  return adding(command, forLooking);
}

/** Adds what every command takes that predicts with a trained network: threads that load pictures, and all of `looking`. */
export function predicting<Args extends unknown[], Options extends OptionValues>(command: Command<Args, Options>) {
  return adding(command, forPredicting);
}

/** Adds what every command takes that evaluates: views, split and batch, and all of `predicting`. */
export function evaluating<Args extends unknown[], Options extends OptionValues>(command: Command<Args, Options>) {
  return adding(command, forEvaluating);
}

function adding<Args extends unknown[], Options extends OptionValues, N extends Name>(
  command: Command<Args, Options>,
  names: readonly N[],
): Command<Args, Options & Values<N>> {
  for (const name of names) {
    const row: Row = shared[name];
    const option = new Option(row.flag, row.help).default(row.default);
    command.addOption(row.parse === undefined ? option : option.argParser(row.parse));
  }
  // Inferred option by option, the types of a generic command take the compiler gigabytes; the table says them at once.
  return command as unknown as Command<Args, Options & Values<N>>;
}
