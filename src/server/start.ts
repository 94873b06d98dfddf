import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Engine } from "../engine/engine.js";
import { networks } from "../network/networks.js";
import { DEFAULT_PICTURE_SIZE } from "../network/picture.js";
import { summarise } from "../network/summary.js";
import { withClasses } from "../network/transform.js";
import { chooseRecipe, recipes } from "../recipes/recipes.js";
import { groups, isOnByItself, type Setting, settings } from "../runs/settings.js";
import { availableMemory, trainingMemory } from "../training/capacity.js";
import { readChoices } from "../training/settle.js";
import type { Estimate, SettingRow } from "./api-types.js";
import { HttpProblem } from "./problems.js";
import type { Told } from "./train-process.js";

/** What a form asks of a new run, what the run would take, and how it is begun. */

export type Values = Readonly<Record<string, string | number | boolean>>;

const rows: readonly (readonly [string, Setting])[] = Object.entries(settings);
const known: Readonly<Record<string, readonly string[]>> = {
  network: Object.keys(networks),
  recipe: Object.keys(recipes),
};

/** The table of settings as fields. Settings that are neither words, numbers nor switches are the command line's. */
export function settingRows(): readonly SettingRow[] {
  return rows.flatMap(([name, row]) => {
    const field = fieldOf(name, row);
    if (field === undefined) return [];
    const usual = row.default ?? (isOnByItself(row) ? true : undefined);
    const plain = typeof usual === "string" || typeof usual === "number" || typeof usual === "boolean" ? usual : null;
    return [{ name, group: row.group, heading: groups[row.group], help: row.help, ...field, default: plain }];
  });
}

type Field = Pick<SettingRow, "kind" | "choices" | "low" | "high">;

function fieldOf(name: string, { schema, text }: Setting): Field | undefined {
  const names = known[name];
  if (names !== undefined) return { kind: "text", choices: names };
  if (text !== undefined && text !== "factor" && text !== "share") return undefined;
  const described = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const one = described.anyOf?.find((option) => typeof option === "object" && option.type !== "null") ?? described;
  if (typeof one !== "object") return undefined;
  const { type, enum: choices, minimum, exclusiveMinimum, maximum } = one;
  const low = minimum ?? exclusiveMinimum;
  const range = { ...(typeof low === "number" && { low }), ...(typeof maximum === "number" && { high: maximum }) };
  if (choices !== undefined) return { kind: "choice", choices: choices.map(String) };
  if (type === "boolean") return { kind: "switch" };
  if (type === "integer") return { kind: "whole", ...withoutEnormous(range) };
  if (type === "number") return { kind: "number", ...withoutEnormous(range) };
  return type === "string" ? { kind: "text" } : undefined;
}

/** The largest whole number that there is says nothing to people. */
function withoutEnormous({ low, high }: { readonly low?: number; readonly high?: number }) {
  return { ...(low !== undefined && { low }), ...(high !== undefined && high < 1e12 && { high }) };
}

/** Of the machine's matrix product, about what training reaches: the rate is an estimate. */
const SHARE_OF_MATRIX_RATE = 1;
const MATRIX = 2048;

export async function estimateRun(
  engine: Engine,
  values: Values,
  { classes, pictures }: { readonly classes: number; readonly pictures: number },
): Promise<Estimate> {
  const { training } = split(values);
  const choices = await readChoices(training);
  const network = withClasses(choices.network, Math.max(2, classes));
  const { recipe } = chooseRecipe(choices.recipe, { network, pictures, isTrained: choices.pretrained !== undefined });
  const batchSize = typeof choices.batchSize === "number" ? choices.batchSize : recipe.batchSize;
  const epochs = choices.epochs ?? recipe.epochs;
  const { trainingFlops, parameters } = summarise(network);
  const rate = (SHARE_OF_MATRIX_RATE * (await engine.measureMatrixRate(MATRIX))) / trainingFlops;
  return {
    network: network.name,
    recipe: recipe.name,
    epochs,
    batchSize,
    parameters,
    memoryBytes: await trainingMemory(engine, network, batchSize, DEFAULT_PICTURE_SIZE),
    freeBytes: availableMemory(),
    picturesPerSecond: rate,
    seconds: (epochs * pictures) / rate,
  };
}

const LONGEST_WAIT = 30_000; // milliseconds until the first word of a run

/**
 * Begins a run in a process of its own, which lives on when the server ends.
 * @param folder of the runs
 * @throws HttpProblem 400 with why it could not begin
 */
export async function startRun(folder: string, data: string, name: string, values: Values): Promise<string> {
  if (!/^[\w-][\w.-]{0,79}$/.test(name))
    throw new HttpProblem(
      400,
      "The run's name may have letters, digits, dots, dashes and underscores, and begins with none of the dots.",
    );
  const run = join(folder, name);
  if (existsSync(run)) throw new HttpProblem(409, `There is a run named ${name} already.`);
  const { training, preparation } = split(values);
  const child = fork(fileURLToPath(new URL("./train-process.js", import.meta.url)), [], {
    detached: true,
    stdio: "ignore",
  });
  child.send({ ...training, data, run, preparation });
  const told = await firstWord(child);
  child.unref();
  if (child.connected) child.disconnect();
  if (told?.kind === "failed") throw new HttpProblem(400, told.message);
  return name;
}

function firstWord(child: ChildProcess): Promise<Told | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LONGEST_WAIT, undefined);
    const end = (told: Told | undefined): void => {
      clearTimeout(timer);
      resolve(told);
    };
    child.once("message", (told) => end(told as Told)); // train-process.ts sends nothing else
    child.once("exit", () => end({ kind: "failed", message: "The process that was to train ended." }));
    child.once("error", ({ message }) => end({ kind: "failed", message }));
  });
}

/** A form's values, by what takes them. @throws HttpProblem 400 for a setting that there isn't */
function split(values: Values) {
  const training: Record<string, unknown> = {};
  const preparation: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const row = rows.find(([known]) => known === name)?.[1];
    if (row === undefined) throw new HttpProblem(400, `There is no setting named ${name}.`);
    if (value === "") continue;
    if (row.kept === "in preparation") preparation[name] = value;
    else training[name] = value;
  }
  return { training, preparation };
}
