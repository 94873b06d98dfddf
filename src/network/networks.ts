import { AlexnetError } from "../errors.js";
import type { Network } from "./network.js";
import { oneWeirdTrick } from "./one-weird-trick.js";
import { paper } from "./paper.js";

/** Every network the project knows by name. */
export const networks: Readonly<Record<string, Network>> = {
  [paper.name]: paper,
  [oneWeirdTrick.name]: oneWeirdTrick,
};

/** @throws AlexnetError "usage" naming the networks there are. */
export function networkByName(name: string): Network {
  const network = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (network === undefined)
    throw new AlexnetError("usage", `no network is named ${name}; there are: ${Object.keys(networks).join(", ")}`);
  return network;
}
