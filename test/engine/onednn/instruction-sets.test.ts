import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { expectClose } from "../../support/compare.js";
import { openIfPossible } from "../../support/networks.js";

// oneDNN takes the limit when it is loaded, so each runs in a process of its own.
const program = `
  import { syntheticBatch, syntheticPreprocessing } from "#src/benchmark/synthetic.js";
  import { openEngine } from "#src/engine/host/open.js";
  import { initialise } from "#src/network/initialise.js";
  import { paper } from "#src/network/architectures/paper.js";
  import { scaleWidth, withClasses } from "#src/network/transform.js";
  const network = withClasses(scaleWidth(paper, 1 / 6), 10);
  const engine = await openEngine("onednn");
  const batch = syntheticBatch(2, network.input.size, 10);
  const trained = await engine.compile(network, { batchSize: 2, mode: "train", preprocessing: syntheticPreprocessing(network.input.size) });
  await trained.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
  const steps = [];
  for (let seed = 0; seed < 2; seed++)
    steps.push((await trained.step(batch, { learningRate: 1e-3, momentum: 0.9, weightDecay: 0.0005, seed })).loss);
  const probabilities = [...(await trained.predict(batch))];
  console.log(JSON.stringify({ instructionSet: engine.description.instructionSet, values: [...steps, ...probabilities] }));
  await engine.close();
`;

async function run(limit: string): Promise<{ readonly instructionSet: string; readonly values: readonly number[] }> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
    env: { ...process.env, ONEDNN_MAX_CPU_ISA: limit },
    cwd: new URL("../../..", import.meta.url),
  });
  return JSON.parse(stdout);
}

const engine = await openIfPossible("onednn");
const reason = typeof engine === "string" ? engine : process.arch === "x64" ? undefined : "these limits are of x64";
if (typeof engine !== "string") await engine.close();

test.skipIf(reason)(
  `older processors, imitated, train to the same values${reason ? ` (skipped: ${reason})` : ""}`,
  async () => {
    const whole = await run("ALL");
    for (const [limit, instructionSet] of [
      ["AVX2", "AVX2"],
      ["SSE41", "SSE4.1"],
    ] as const) {
      const limited = await run(limit);
      if (limit === "SSE41") expect(limited.instructionSet).toBe(instructionSet);
      else expect(["AVX2", "AVX", "SSE4.1"]).toContain(limited.instructionSet);
      expectClose(Float64Array.from(limited.values), Float64Array.from(whole.values), 1e-5, limit);
    }
  },
);
