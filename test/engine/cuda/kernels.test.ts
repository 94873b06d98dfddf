import { readdirSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { type Compiler, openCompiler } from "#src/engine/cuda/kernels/compiler.js";
import type { Precision } from "#src/engine/engine.js";
import { AlexnetError } from "#src/errors.js";
import { cifar } from "#src/network/architectures/cifar.js";
import { original2012 } from "#src/network/architectures/original-2012.js";
import { paper } from "#src/network/architectures/paper.js";
import type { Network } from "#src/network/network.js";
import { compiledKernels } from "../../support/recording.js";

/** NVIDIA's own compiler on every kernel that the full-size networks need. It takes no GPU. */

const architectures = ["sm_80", "sm_90"];
/** Between them they have every kind of layer. */
const chosen = [paper, original2012, withTanh(cifar)];

function withTanh(network: Network): Network {
  return {
    ...network,
    layers: network.layers.map((layer) => (layer.kind === "relu" ? { ...layer, kind: "tanh" } : layer)),
  };
}

let compiler: Compiler | undefined;
let unavailable = "";
try {
  compiler = openCompiler({ doing: "" });
} catch (error) {
  if (!(error instanceof AlexnetError)) throw error;
  unavailable = error.message;
  console.warn(`compiling CUDA kernels is skipped: ${unavailable}`);
}

describe.each(["bf16", "float32"] satisfies Precision[])("kernels for %s", (precision) => {
  const kernels = chosen.flatMap((network) => compiledKernels(network, precision));
  const distinct = new Map(kernels.map((kernel) => [JSON.stringify(kernel), kernel]));
  beforeEach((context) => context.skip(compiler === undefined, unavailable));

  it.each([...distinct.values()])("$file, $definitions", { timeout: 120_000 }, ({ file, definitions }) => {
    for (const architecture of architectures) {
      const { log } = compiler?.compile(file, architecture, definitions, ["--ptxas-options=-v"]) ?? { log: "" };
      const spills = [...log.matchAll(/(\d+) bytes spill/g)].map(([, bytes]) => Number(bytes));
      expect(spills.length, log).toBeGreaterThan(0);
      expect(Math.max(...spills), `${architecture}: registers spill\n${log}`).toBe(0);
    }
  });
});

it("compiles every file there is", () => {
  const used = new Set(chosen.flatMap((network) => compiledKernels(network, "bf16")).map(({ file }) => file));
  const folder = new URL("../../../src/engine/cuda/kernels/", import.meta.url);
  const files = readdirSync(folder).flatMap((name) => (name.endsWith(".cu") ? [name.replace(".cu", "")] : []));
  expect([...used].sort()).toEqual(files.sort());
});
