import { z } from "zod";
import { AlexnetError } from "./errors.js";
import { enumerate } from "./text.js";

/**
 * Checks the options of a public function before anything is opened or written, so that users of the library are told
 * what users of the command line are told.
 * @param schema of the options; unknown names are refused, with the nearest that there is
 * @param what the function, for people: "train"
 * @throws AlexnetError "invalid-option" naming the first field that can't be meant: "train: epochs is -1; give a whole
 * number from 1 (epochs)". The field and the advice are the error's hint.
 *
 * @example
 * const options = { data: path(), epochs: wholeNumber(1).optional() };
 * parseOptions(z.object(options), { data: "photos", epochs: -1 }, "train");
 */
export function parseOptions<T extends z.ZodRawShape>(schema: z.ZodObject<T>, value: unknown, what: string) {
  const parsed = schema.strict().safeParse(value, { error: advise, reportInput: true });
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw invalidOption(first === undefined ? undefined : innermost(first), Object.keys(schema.shape), what);
}

/** What to give in place of a value that a schema refuses, as an imperative clause; undefined where it is fine. */
export function adviceOn(schema: z.ZodType, value: unknown): string | undefined {
  const [first] = schema.safeParse(value, { error: advise, reportInput: true }).error?.issues ?? [];
  return first === undefined ? undefined : innermost(first).message;
}

function invalidOption(issue: z.core.$ZodIssue | undefined, known: readonly string[], what: string): AlexnetError {
  if (issue === undefined || issue.path.length === 0) {
    if (issue?.code !== "unrecognized_keys")
      return new AlexnetError("invalid-option", `${what}: takes an object of options, not ${describe(issue?.input)}`);
    const [name = ""] = issue.keys;
    const nearest = nearestOf(name, known);
    const meant = nearest === undefined ? "" : `; did you mean ${nearest}?`;
    return new AlexnetError("invalid-option", `${what}: there is no option ${name}${meant}`);
  }
  const field = issue.path.map(String).join(".");
  const is = issue.code === "unrecognized_keys" ? `has no field ${enumerate(issue.keys, 3)}` : stateOf(inputOf(issue));
  return new AlexnetError("invalid-option", `${what}: ${field} ${is}`, {
    hint: { advice: issue.message, option: field },
  });
}

/** Of a choice between objects, the value of the field that tells them apart. */
function inputOf(issue: z.core.$ZodIssue): unknown {
  const { input } = issue;
  const isChosenBy = issue.code === "invalid_union" && issue.discriminator !== undefined;
  return isChosenBy && typeof input === "object" && input !== null ? Reflect.get(input, issue.discriminator) : input;
}

function stateOf(input: unknown): string {
  return input === undefined ? "is missing" : `is ${describe(input)}`;
}

/** Of a choice between several forms, what is wrong with the one that was meant: the one of the value's type. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const meant = issue.errors.filter(([first]) => first !== undefined && !isOfAnotherType(first));
  const [first] = meant[0] ?? [];
  if (first === undefined || meant.length > 1) return issue;
  return innermost({ ...first, path: [...issue.path, ...first.path] });
}

function isOfAnotherType({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === "invalid_type" || code === "invalid_value");
}

/** What to give instead, as an imperative clause; schemas with a message of their own say it themselves. */
function advise(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `give ${types[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return oneOf(issue.values);
    case "too_small":
      return `give ${issue.inclusive ? `${issue.minimum} or more` : `more than ${issue.minimum}`}`;
    case "too_big":
      return `give ${issue.inclusive ? `${issue.maximum} or less` : `less than ${issue.maximum}`}`;
    case "unrecognized_keys":
      return "leave it out";
    case "invalid_union": {
      const advice = issue.errors.flatMap(([first]) => first?.message.replace(/^give /, "") ?? []);
      return advice.length === 0 && issue.inclusive !== false
        ? oneOf(issue.options ?? [])
        : `give ${[...new Set(advice)].join(" or ")}`;
    }
    default:
      return issue.message ?? "give another";
  }
}

function oneOf(values: readonly z.core.util.Primitive[]): string {
  const listed = values.map((value) => (typeof value === "string" ? JSON.stringify(value) : String(value)));
  return `give ${listed.length === 1 ? "" : "one of "}${listed.join(", ")}`;
}

const types: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "an array",
  tuple: "an array",
};

/** A value in the words of an error: `"3"`, `-1`, `a Buffer`. */
function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const { name } = value.constructor ?? Object;
  return `${/^[AEIOU]/i.test(name) ? "an" : "a"} ${name === "Object" ? "object" : name}`.replace(
    "a object",
    "an object",
  );
}

/** The name that is fewest changes of letters away, if it is near at all. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, away: lettersBetween(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.away - b.away);
  return best !== undefined && best.away <= Math.max(1, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

/** Letters to put in, take away or change, to make one word of the other (Levenshtein 1966). */
function lettersBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}

/** A path of a file or folder. */
export const path = () => z.string("give a path, as a string").min(1, "give a path, as a string");

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  const advice = `give a whole number ${most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`}`;
  return z.number(advice).int(advice).min(least, advice).max(most, advice);
}

/** A finite number above 0. */
export function positiveNumber(most?: number) {
  const advice = `give a number above 0${most === undefined ? "" : `, up to ${most}`}`;
  const schema = z.number(advice).positive(advice);
  return most === undefined ? schema : schema.max(most, advice);
}

/** At least 0 and below 1. */
export function fraction() {
  const advice = "give a number from 0 up to, but not including, 1";
  return z.number(advice).min(0, advice).lt(1, advice);
}

/** The options that every public function takes which may take long; see `TaskOptions`. */
export function taskShape<Event>() {
  return {
    signal: z.instanceof(AbortSignal, { error: "give the signal of an AbortController" }).optional(),
    onEvent: z
      .custom<(event: Event) => void>((value) => typeof value === "function", "give a function that takes events")
      .optional(),
  };
}

/** Those of some options that were given. */
export function withoutUndefined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
