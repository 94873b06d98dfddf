import { basename } from "node:path";
import type { Setting } from "../../runs/differences.js";
import type { RunSummary } from "../../runs/list.js";
import { percent } from "../../text.js";

/** A setting that differs, and what it is in each run, as short as a column of a table is. */
export interface SettingRow {
  readonly path: string;
  readonly values: readonly string[];
}

/** Told in a sentence of its own when a run begins; it follows from other settings. */
const LEFT_OUT = new Set(["recipeReason"]);
const LONGEST_PATH = 24;

/** A layer that not all networks have is one row, with all its settings or "none". */
export function settingRows(settings: readonly Setting[]): readonly SettingRow[] {
  const rows = new Map<string, SettingRow>();
  for (const { path, values } of settings) {
    if (LEFT_OUT.has(path)) continue;
    const layer = layerOf(path);
    const partial = layer !== undefined && isMissingSomewhere(layer, settings);
    if (!partial) rows.set(path, { path: shortPath(path), values: values.map(short) });
    else rows.set(layer, { path: shortPath(layer), values: wholeLayers(layer, settings) });
  }
  return [...rows.values()];
}

/** Of a run's best epoch: top-1, mean recall and macro F1; nothing of what was not measured. */
export function scoreCells({ bestError, bestMeanRecall, bestMacroF1 }: RunSummary): readonly string[] {
  const shares = [bestError === undefined ? undefined : 1 - bestError, bestMeanRecall, bestMacroF1];
  return shares.map((share) => (share === undefined ? "" : percent(share)));
}

/** The last parts of paths where they tell the runs apart, the whole paths elsewhere. */
export function shortNames(paths: readonly string[]): readonly string[] {
  const names = paths.map((path) => basename(path));
  return new Set(names).size === names.length ? names : paths;
}

/** "network.norm1" of "network.norm1.kind" */
function layerOf(path: string): string | undefined {
  return /^(network\.[^.]+)\.[^.]+$/.exec(path)?.[1];
}

/** Names of layers and of a recipe's fields say by themselves what they belong to. */
function shortPath(path: string): string {
  return path.replace(/^(network|recipe)\.name$/, "$1").replace(/^(network|recipe)\./, "");
}

function fieldsOf(layer: string, settings: readonly Setting[]): readonly Setting[] {
  return settings.filter(({ path }) => layerOf(path) === layer);
}

/** Where a layer is, it has a kind. */
function isMissingSomewhere(layer: string, settings: readonly Setting[]): boolean {
  const kind = settings.find(({ path }) => path === `${layer}.kind`);
  return kind?.values.some((value) => value === undefined) === true;
}

function wholeLayers(layer: string, settings: readonly Setting[]): readonly string[] {
  const fields = fieldsOf(layer, settings).filter(({ path }) => path !== `${layer}.name`);
  const [first] = fields;
  return (first?.values ?? []).map((_, run) => {
    const said = fields.flatMap(({ path, values }) => {
      const value = values[run];
      const field = path.slice(layer.length + 1);
      if (value === undefined) return [];
      return [field === "kind" ? String(value) : `${field}=${short(value)}`];
    });
    return said.length === 0 ? "none" : said.join(" ");
  });
}

function short(value: unknown): string {
  if (value === undefined || value === null) return "none";
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  if (typeof value !== "string") return JSON.stringify(value);
  const withShortHashes = value.replace(/\b([0-9a-f]{6})[0-9a-f]{6,}\b/g, "$1");
  const isLongPath = withShortHashes.includes("/") && withShortHashes.length > LONGEST_PATH;
  return isLongPath ? `…/${basename(withShortHashes)}` : withShortHashes;
}
