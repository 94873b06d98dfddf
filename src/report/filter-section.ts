import { drawFilters } from "../drawing/filters.js";
import { type Html, html } from "../drawing/markup.js";
import type { Model } from "../model/model.js";
import { parameterTable, parameterView } from "../network/parameters.js";

/** The first layer's filters as the paper's figure 3 shows them; undefined where the first layer has none. */
export async function filterSection({ network, parameters }: Model): Promise<Html | undefined> {
  const first = parameterTable(network)[0];
  if (first?.shape.length !== 4) return undefined;
  const { png, width, height } = await drawFilters(first.shape, parameterView(parameters, first));
  const [filters, channels, rows, columns] = first.shape;
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return html`<section id="filters">
<h2>What the first layer looks for</h2>
<p>The ${filters} filters of ${first.layer}, ${columns}x${rows}x${channels}, each scaled to its own range, as in figure 3 of the paper.
A layer that has learned shows edges of all directions and blobs of colour; one that has not shows noise.</p>
<img class="filters" src="${source}" width="${width}" height="${height}" alt="The ${filters} filters of ${first.layer}">
</section>`;
}
