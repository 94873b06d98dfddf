import { InvalidArgumentError, Option } from "commander";
import { AlexnetError } from "../errors.js";
import { adviceOn } from "../options.js";
import { type LearningRatePolicy, policySchema } from "../recipes/recipe.js";
import { recipeByName } from "../recipes/recipes.js";
import type { Cadence } from "../runs/cadence.js";
import { groups, type Setting, type SettingName, settings } from "../runs/settings.js";
import { checkViewCount } from "../store/views.js";
import { readTriple } from "./import-arguments.js";

/** Parsers for option values; commander adds the option's name to what they throw. */

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`Give a whole number ${range(least, most)}.`);
    return value;
  };
}

export function positiveNumber(most = Number.POSITIVE_INFINITY): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value > 0) || !Number.isFinite(value) || value > most)
      throw new InvalidArgumentError(
        `Give a number above 0${most === Number.POSITIVE_INFINITY ? "" : `, up to ${most}`}.`,
      );
    return value;
  };
}

/** At least 0 and below 1. */
export function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value < 1))
    throw new InvalidArgumentError("Give a number from 0 up to, but not including, 1.");
  return value;
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new InvalidArgumentError(`Give one of: ${words.join(", ")}.`);
    return word;
  };
}

/** What `--engine` takes, for help texts. */
export const ENGINE_HELP = settings.engine.help;

/** What `--precision` takes, for help texts. */
export const PRECISION_HELP = settings.precision.help;

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 };

/** "90s", "10m", "2h", "1.5d"; the result is in seconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd])$/.exec(text);
  const seconds = Number(match?.[1]) * (secondsIn[match?.[2] ?? ""] ?? Number.NaN);
  if (!(seconds > 0)) throw new InvalidArgumentError("Give a time such as 90s, 10m, 2h or 1d.");
  return seconds;
}

/** A number of views that there is. */
export function viewCount(text: string): number {
  const count = wholeNumber(1)(text);
  try {
    checkViewCount(count);
    return count;
  } catch (error) {
    throw error instanceof AlexnetError ? new InvalidArgumentError(error.message) : error;
  }
}

/** What `--views` means, for help texts. */
export const VIEWS_HELP = "1, the centre; 10, averaged: corners, centre and their mirrors; 144 and others: a grid";

/** "10m", "500 steps" or "1 epoch": how often. */
export function cadence(text: string): Cadence {
  const match = /^(\d+)\s*(step|epoch)s?$/.exec(text.trim());
  if (match === null) return { unit: "seconds", every: duration(text.trim()) };
  return { unit: match[2] === "step" ? "steps" : "epochs", every: wholeNumber(1)(match[1] ?? "") };
}

/** The word "auto", or what `parse` takes. */
export function autoOr<T>(parse: (text: string) => T): (text: string) => T | "auto" {
  return (text) => (text === "auto" ? "auto" : parse(text));
}

function range(least: number, most: number): string {
  return most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
}

/** "10x" or "0.1": a factor, 0 or more. */
export function factor(text: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*x?$/.exec(text.trim());
  if (match === null) throw new InvalidArgumentError("Give a factor such as 10x or 0.1.");
  return Number(match[1]);
}

/** "conv1..conv3=0.1,fc7=2x": factors by what they are for; given again, all together. */
export function factors(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const pairs = text.split(",").map((part) => {
    const [name = "", value, ...more] = part.split("=").map((side) => side.trim());
    if (name === "" || value === undefined || more.length > 0)
      throw new InvalidArgumentError("Give layers and factors, such as conv1..conv3=0.1,fc7=2x.");
    return [name, factor(value)] as const;
  });
  return { ...before, ...Object.fromEntries(pairs) };
}

/** "1%" or "0.01": a share from 0 to 1. */
export function share(text: string): number {
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  const value = percent === null ? Number(text) : Number(percent[1]) / 100;
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError("Give a share such as 1% or 0.01.");
  return value;
}

/** "1,2,3" for red, green, blue; or one number for all three. */
export function triple(text: string): [number, number, number] {
  const numbers = readTriple(text);
  if (numbers === undefined) throw new InvalidArgumentError("Give a number, or three with commas between.");
  return numbers;
}

const rows: readonly (readonly [string, Setting])[] = Object.entries(settings);

/** Gives a command the flags of some settings of a run, by the one table of them. */
export function addSettings(
  command: { addOption(option: Option): unknown },
  names: readonly SettingName[],
  underHeadings: boolean,
) {
  for (const name of names) {
    const row: Setting = settings[name];
    const option = optionOf(row);
    command.addOption(underHeadings ? option.helpGroup(groups[row.group]) : option);
  }
}

/** The settings under one heading of the help. */
export function settingsIn(group: Setting["group"]): readonly SettingName[] {
  return rows.flatMap(([name, row]) => (row.group === group ? [name as SettingName] : []));
}

/** What was given of some settings, by the library's names; `values` are what commander made of the flags. */
export function settingsGiven(values: Readonly<Record<string, unknown>>, names: readonly SettingName[]) {
  const given = names.map((name) => {
    const option = optionOf(settings[name]);
    const value = values[option.attributeName()];
    return [name, option.negate && value === true ? undefined : value] as const;
  });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function optionOf({ flag, help, text, schema }: Setting): Option {
  const option = new Option(flag, help);
  if (!option.required) return option;
  if (text === "factors") return option.argParser(factors);
  return option.argParser(text === undefined ? (given: string) => valueFor(schema, given) : texts[text]);
}

/** With the numbers of the recipes that have them. */
const policies: Readonly<Record<string, LearningRatePolicy>> = {
  plateau: recipeByName("paper").policy,
  step: recipeByName("small").policy,
  linear: { kind: "linear" },
  cosine: { kind: "cosine" },
};

/** "cosine", or a recipe's field as JSON. */
export function policy(text: string): LearningRatePolicy {
  if (Object.hasOwn(policies, text)) return policies[text] as LearningRatePolicy;
  try {
    return policySchema.parse(JSON.parse(text));
  } catch {
    throw new InvalidArgumentError(
      `Give ${Object.keys(policies).join(", ")}, or JSON such as ${JSON.stringify(policies.step)}.`,
    );
  }
}

const texts = { duration, cadence, factor, share, policy } as const;

/** A word or a number, whichever the setting is. */
function valueFor(schema: Setting["schema"], text: string): unknown {
  const advice = adviceOn(schema, text);
  if (advice === undefined) return text;
  const number = /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (adviceOn(schema, number) === undefined) return number;
  throw new InvalidArgumentError(`${advice.charAt(0).toUpperCase()}${advice.slice(1)}.`);
}
