import { AlexnetError } from "../errors.js";
import type { Network } from "./network.js";
import { parameterTable } from "./parameters.js";

/** The layers that have parameters, in order. */
export function learningLayers(network: Network): readonly string[] {
  return [...new Set(parameterTable(network).map(({ layer }) => layer))];
}

/**
 * The layers with parameters that `text` names: `conv1`, `conv1..conv5` for all from one to another, several with
 * commas between.
 * @throws AlexnetError "invalid-option" naming the layers there are.
 */
export function selectLayers(network: Network, text: string): readonly string[] {
  const all = learningLayers(network);
  const place = (name: string): number => {
    const index = all.indexOf(name);
    if (index < 0)
      throw new AlexnetError(
        "invalid-option",
        `${name || "(nothing)"}: ${network.name} has no layer of this name that learns; ${listed(all)}`,
      );
    return index;
  };
  const chosen = new Set<string>();
  for (const part of text.split(",")) {
    const [first = "", last = first, ...more] = part.split("..").map((name) => name.trim());
    if (more.length > 0)
      throw new AlexnetError("invalid-option", `${part}: a range is two names, such as conv1..conv5; ${listed(all)}`);
    const [from, to] = [place(first), place(last)];
    if (from > to)
      throw new AlexnetError("invalid-option", `${part}: ${last} comes before ${first}; turn the range round`);
    for (const name of all.slice(from, to + 1)) chosen.add(name);
  }
  return all.filter((name) => chosen.has(name));
}

function listed(names: readonly string[]): string {
  return `there are ${names.join(", ")}`;
}
