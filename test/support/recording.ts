import type { Gpu } from "#src/engine/cuda/gpu.js";
import type { Definitions } from "#src/engine/cuda/kernels/compiler.js";
import type { ProductSpec } from "#src/engine/cuda/native/blas.js";
import { planProgram } from "#src/engine/cuda/plan.js";
import type { Algorithm } from "#src/engine/cuda/tuning.js";
import type { Precision } from "#src/engine/engine.js";
import { AlexnetError } from "#src/errors.js";
import type { Network } from "#src/network/network.js";
import { centred } from "./networks.js";

export interface CompiledKernel {
  readonly file: string;
  readonly definitions: Definitions;
}

const nothing = (): void => undefined;

/** The kernels that training `network` takes, found by planning it on a device that only takes notes. */
export function compiledKernels(network: Network, precision: Precision): readonly CompiledKernel[] {
  const found: CompiledKernel[] = [];
  const note = (file: string, definitions: Definitions): void => {
    found.push({ file, definitions: { BF16: precision === "bf16" ? 1 : 0, ...definitions } });
  };
  const gpu = {
    precision,
    scene: { doing: "" },
    device: { allocate: () => ({ address: 0n, close: nothing }), clear: nothing, copyIn: nothing, wait: nothing },
    blas: {
      prepare({ bias }: ProductSpec) {
        if (bias !== undefined) throw new AlexnetError("engine", "a library that can't add a bias");
        return { run: nothing, close: nothing };
      },
    },
    dnn: { prepare: () => ({ workspace: { forward: 0, data: 0, weights: 0 }, close: nothing }) },
    kernels: {
      get: (file: string, _name: string, definitions: Definitions) => {
        note(file, definitions);
        return { prepare: () => nothing };
      },
      each: (file: string, _name: string, definitions: Definitions) => {
        note(file, definitions);
        return nothing;
      },
    },
    tuning: {
      choose: (_operation: string, ways: readonly Algorithm[]) => {
        for (const way of ways) way.prepare();
        return { implementation: "", run: nothing };
      },
    },
  };
  const options = { batchSize: 2, mode: "train", preprocessing: centred } as const;
  const { build } = planProgram(gpu as unknown as Gpu, network, options);
  build.finish();
  return found;
}
