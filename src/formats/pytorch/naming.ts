import { oneWeirdTrick } from "../../network/architectures/one-weird-trick.js";
import type { Network } from "../../network/network.js";
import type { Parameter } from "../../network/parameters.js";

/** torchvision's names of `one-weird-trick`'s layers: places in its `features` and `classifier`. */
const torchvision: Readonly<Record<string, string>> = {
  conv1: "features.0",
  conv2: "features.3",
  conv3: "features.6",
  conv4: "features.8",
  conv5: "features.10",
  fc6: "classifier.1",
  fc7: "classifier.4",
  fc8: "classifier.6",
};

/** What a state dict calls a layer. */
export interface Naming {
  readonly layer: (layer: string) => string;
  readonly parameter: (parameter: Parameter) => string;
}

function naming(layer: (layer: string) => string): Naming {
  return { layer, parameter: ({ layer: name, role }) => `${layer(name)}.${role}` };
}

/** `conv1.weight`, `conv1.bias`, … */
export const ownNaming = naming((layer) => layer);
/** `features.0.weight`, … */
export const torchvisionNaming = naming((layer) => torchvision[layer] ?? layer);

/** State dicts of torchvision's network have its names, so that it loads them; all others have ours. */
export function namingOf(network: Network): Naming {
  return network.name === oneWeirdTrick.name ? torchvisionNaming : ownNaming;
}

/** Whether a state dict with these names is one of torchvision's. */
export function isTorchvision(names: { has(name: string): boolean }): boolean {
  return names.has("features.0.weight") && names.has("classifier.6.weight");
}

/**
 * Names without what wraps a network: parts that programs put between others (`module` of data-parallel training,
 * `_orig_mod` of torch.compile), and the path to the network inside of a larger module.
 * @param starts what the first weights may be called without a wrapper
 * @returns each name as it is without, with the name in the file; names outside of the network as they are
 */
export function withoutWrappers(names: Iterable<string>, starts: readonly string[]): ReadonlyMap<string, string> {
  const plain = [...names].map((name) => [unwrapped(name), name] as const);
  const paths = new Set(
    plain.flatMap(([name]) =>
      starts.flatMap((start) =>
        name === start ? [""] : name.endsWith(`.${start}`) ? [name.slice(0, -start.length)] : [],
      ),
    ),
  );
  const [path = ""] = paths.size === 1 ? paths : [""]; // of several networks in one file none is chosen
  return new Map(plain.map(([name, original]) => [name.startsWith(path) ? name.slice(path.length) : name, original]));
}

const wrappers = new Set(["module", "_orig_mod"]);

function unwrapped(name: string): string {
  return name
    .split(".")
    .filter((part) => !wrappers.has(part))
    .join(".");
}
