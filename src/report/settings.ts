import type { Network } from "../network/network.js";
import { summarise } from "../network/summary.js";
import { describeRates } from "../recipes/policy.js";
import type { RunConfig } from "../runs/settings.js";
import { thousands } from "../text.js";
import type { ReportSettings } from "./data.js";

export interface RunRecords {
  readonly config: RunConfig | undefined;
  /** As environment.json has it: a session each time training went on. */
  readonly sessions: readonly unknown[];
}

/** What was trained, how and on what. */
export function reportSettings(network: Network, { config, sessions }: RunRecords): ReportSettings {
  const { layers, parameters, forwardFlops } = summarise(network);
  const facts: (readonly [string, string])[] = [
    ["network", `${network.name}, ${network.input.size}x${network.input.size}`],
    ["parameters", thousands(parameters)],
    ["GFLOP a picture, forward", (forwardFlops / 1e9).toFixed(3)],
    ...(config === undefined ? [] : settings(config)),
  ];
  return {
    facts,
    layers: layers.map(({ name, kind, output: { channels, height, width }, parameters: own }) => ({
      name,
      kind,
      output: height * width === 1 ? thousands(channels) : `${channels}x${height}x${width}`,
      parameters: own,
    })),
    ...(config && { config: { ...config, network: network.name } }),
    sessions,
  };
}

function settings({ data, recipe, recipeReason, seed, width }: RunConfig): (readonly [string, string])[] {
  return [
    ["trained on", data.source],
    [
      "pictures",
      `${thousands(data.train)} to train, ${thousands(data.val)} to validate, ${thousands(data.classes)} classes`,
    ],
    ["width", String(width)],
    ["recipe", `${recipe.name} (${recipeReason})`],
    ["epochs", String(recipe.epochs)],
    ["pictures a step", String(recipe.batchSize)],
    ["learning rate", describeRates(recipe)],
    ["momentum, weight decay", `${recipe.momentum}, ${recipe.weightDecay}`],
    ["seed", String(seed)],
  ];
}
