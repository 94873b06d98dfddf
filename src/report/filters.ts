import { drawFilters } from "../drawing/filters.js";
import type { Model } from "../model/model.js";
import { parameterTable, parameterView } from "../network/parameters.js";
import type { FilterSheet } from "./data.js";

/** The first layer's filters as the paper's figure 3 shows them; undefined where the first layer has none. */
export async function filterSheet({ network, parameters }: Model): Promise<FilterSheet | undefined> {
  const first = parameterTable(network)[0];
  if (first?.shape.length !== 4) return undefined;
  const { png, width, height } = await drawFilters(first.shape, parameterView(parameters, first));
  const [count = 0, channels, rows, columns] = first.shape;
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return { source, width, height, count, layer: first.layer, shape: `${columns}x${rows}x${channels}` };
}
