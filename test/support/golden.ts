import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Tensor } from "#src/engine/engine.js";
import { type NamedTensor, readSafetensors } from "#src/formats/safetensors.js";
import { paper } from "#src/network/architectures/paper.js";
import type { Layer, Network } from "#src/network/network.js";

/** Golden files: see golden/README.md. GOLDEN_DIR names another folder of them. */
export const goldenDirectory = process.env.GOLDEN_DIR ?? fileURLToPath(new URL("../golden", import.meta.url));

export class GoldenFile {
  readonly name: string;
  readonly #path: string;
  readonly #tensors: ReadonlyMap<string, NamedTensor>;
  readonly #metadata: Readonly<Record<string, string>>;

  constructor(path: string) {
    this.name = basename(path, ".safetensors");
    this.#path = path;
    ({ tensors: this.#tensors, metadata: this.#metadata } = readSafetensors(path));
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  tensor(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new Error(`${this.#path}: holds no ${name}`);
    return { shape: tensor.shape, data: Float64Array.from(tensor.data, Number) };
  }

  labels(name: string): Int32Array {
    return Int32Array.from(this.tensor(name).data);
  }

  /** Only where the file has it. */
  optional(name: string): Tensor | undefined {
    return this.has(name) ? this.tensor(name) : undefined;
  }

  /** A number of the metadata. */
  number(key: string): number {
    const value = Number(this.#metadata[key]);
    if (!Number.isFinite(value)) throw new Error(`${this.#path}: metadata has no number ${key}`);
    return value;
  }

  /** All tensors whose names are `prefix` and one of `names`, one after the other. */
  concatenated(prefix: string, names: readonly string[]): Float32Array {
    return Float32Array.from(names.flatMap((name) => Array.from(this.tensor(`${prefix}${name}`).data)));
  }
}

/** The files whose names start with `prefix`; there must be some. */
export function goldenFiles(prefix: string): readonly GoldenFile[] {
  const names = readdirSync(goldenDirectory).filter((name) => name.startsWith(prefix) && name.endsWith(".safetensors"));
  if (names.length === 0) throw new Error(`${goldenDirectory}: holds no ${prefix}*.safetensors`);
  return names.map((name) => new GoldenFile(join(goldenDirectory, name)));
}

/** Kinds of layers by the prefix of their files: what the file says of the layer. */
export const goldenLayers: Readonly<Record<string, (file: GoldenFile) => Layer>> = {
  conv: (file) => {
    const [filters, , size] = file.tensor("w").shape;
    const [stride, padding, groups] = [file.number("stride"), file.number("padding"), file.number("groups")];
    return { kind: "convolution", name: file.name, filters, size, stride, padding, groups };
  },
  relu: (file) => ({ kind: "relu", name: file.name }),
  lrn: (file) => {
    const [k, n, alpha, beta] = [file.number("k"), file.number("n"), file.number("alpha"), file.number("beta")];
    return { kind: "local-response-norm", name: file.name, k, n, alpha, beta };
  },
  "max-pool": (file) => ({
    kind: "max-pool",
    name: file.name,
    size: file.number("size"),
    stride: file.number("stride"),
  }),
  "average-pool": (file) => ({
    kind: "average-pool",
    name: file.name,
    size: file.number("size"),
    stride: file.number("stride"),
  }),
  tanh: (file) => ({ kind: "tanh", name: file.name }),
  "fully-connected": (file) => ({ kind: "fully-connected", name: file.name, outputs: file.tensor("w").shape[0] }),
};

/** The paper's network with as many maps as the file's initial parameters have, for crops of `size`; dropout off. */
export function goldenNetwork(file: GoldenFile, size: number): Network {
  const layers = paper.layers.map((layer): Layer => {
    if (layer.kind === "dropout") return { ...layer, rate: 0 };
    const [outputs] = file.optional(`initial.${layer.name}.weight`)?.shape ?? [0];
    if (layer.kind === "convolution") return { ...layer, filters: outputs };
    if (layer.kind === "fully-connected") return { ...layer, outputs };
    return layer;
  });
  return { name: file.name, input: { channels: 3, size }, layers };
}
