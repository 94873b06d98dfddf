import { type Html, html } from "../drawing/markup.js";
import type { Network } from "../network/network.js";
import { summarise } from "../network/summary.js";
import { describeRates } from "../recipes/policy.js";
import type { RunConfig } from "../runs/settings.js";
import { thousands } from "../text.js";

export interface RunRecords {
  readonly config: RunConfig | undefined;
  /** As environment.json has it: a session each time training went on. */
  readonly sessions: readonly unknown[];
}

/** What was trained, how and on what. */
export function settingsSection(network: Network, { config, sessions }: RunRecords): Html {
  const { layers, parameters, forwardFlops } = summarise(network);
  const facts: (readonly [string, string])[] = [
    ["network", `${network.name}, ${network.input.size}x${network.input.size}`],
    ["parameters", thousands(parameters)],
    ["GFLOP a picture, forward", (forwardFlops / 1e9).toFixed(3)],
    ...(config === undefined ? [] : settings(config)),
  ];
  return html`<section id="settings">
<h2>Settings and environment</h2>
<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<details><summary>Layers</summary><div class="scroll"><table>
<thead><tr><th scope="col">layer</th><th scope="col" class="text">kind</th><th scope="col">output</th><th scope="col">parameters</th></tr></thead>
<tbody>${layers.map(({ name, kind, output: { channels, height, width }, parameters: own }) => html`<tr><th scope="row">${name}</th><td class="text">${kind}</td><td>${height * width === 1 ? thousands(channels) : `${channels}x${height}x${width}`}</td><td>${own === 0 ? "" : thousands(own)}</td></tr>`)}</tbody>
</table></div></details>
${config && html`<details><summary>All settings</summary><pre>${JSON.stringify({ ...config, network: network.name }, undefined, 2)}</pre></details>`}
${sessions.length > 0 ? html`<details><summary>Environment</summary><pre>${JSON.stringify(sessions, undefined, 2)}</pre></details>` : undefined}
</section>`;
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
