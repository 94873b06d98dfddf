import { readFileSync } from "node:fs";
import { AlexnetError } from "../errors.js";
import { caffe } from "./architectures/caffe.js";
import { caffenet } from "./architectures/caffenet.js";
import { cifar } from "./architectures/cifar.js";
import { oneWeirdTrick } from "./architectures/one-weird-trick.js";
import { original2012 } from "./architectures/original-2012.js";
import { paper } from "./architectures/paper.js";
import type { Network } from "./network.js";
import { parseNetwork } from "./parse.js";

export interface Variant {
  readonly network: Network;
  /** What differs from the paper, in a line. */
  readonly differs: string;
  readonly source: string;
}

/** Every network the project knows by name. */
export const variants: readonly Variant[] = [
  {
    network: paper,
    differs: "as written; 227x227 crops give its 55x55 feature maps",
    source: "Krizhevsky, Sutskever, Hinton 2012, section 3.5",
  },
  {
    network: original2012,
    differs: "norms divide alpha by n and stay in each half; conv1's ReLU after pool1; conv2 normed within maps too",
    source: "the authors' source of 2012, layer definition 145",
  },
  {
    network: caffe,
    differs: "norms have k = 1 and divide alpha by n",
    source: "Caffe, models/bvlc_alexnet",
  },
  {
    network: caffenet,
    differs: "as caffe, but pools before it norms",
    source: "Caffe, models/bvlc_reference_caffenet",
  },
  {
    network: oneWeirdTrick,
    differs: "fewer feature maps, no groups, no norms, 224x224 with padding 2, dropout before fc6 and fc7",
    source: "Krizhevsky 2014; torchvision's alexnet",
  },
  {
    network: cifar,
    differs: "four layers for pictures of 32x32 (prepared with size 32), average pools after the first",
    source: "section 3.1, figure 1; the author's CIFAR-10 networks beside the source of 2012",
  },
];

export const networks: Readonly<Record<string, Network>> = Object.fromEntries(
  variants.map(({ network }) => [network.name, network]),
);

/** @throws AlexnetError "invalid-option" naming the networks there are. */
export function networkByName(name: string): Network {
  const network = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (network === undefined)
    throw new AlexnetError(
      "invalid-option",
      `no network is named ${name}; there are: ${Object.keys(networks).join(", ")}; or give a .json file of layers`,
    );
  return network;
}

/**
 * A network by its name, or read from a user's JSON file: whatever ends in .json or has a slash in it.
 * @throws AlexnetError "invalid-option" for a name there isn't, "not-found" for a file that can't be read,
 * "invalid-network" for a description that breaks a rule.
 */
export function resolveNetwork(nameOrPath: string): Network {
  if (!/\.json$|[/\\]/i.test(nameOrPath)) return networkByName(nameOrPath);
  let text: string;
  try {
    text = readFileSync(nameOrPath, "utf8");
  } catch (cause) {
    throw new AlexnetError("not-found", `${nameOrPath}: can't be read; give a JSON file of layers`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AlexnetError("invalid-network", `${nameOrPath}: is not JSON: ${String(cause)}`, { cause });
  }
  return parseNetwork(value, nameOrPath);
}
