import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openIfPossible } from "../../support/networks.js";

const program = `
  import { openEngine } from "#src/engine/host/open.js";
  import { networkByName } from "#src/network/networks.js";
  import { initialise } from "#src/network/initialise.js";
  import { scaleWidth, withClasses } from "#src/network/transform.js";
  import { syntheticBatch, syntheticPreprocessing } from "#src/benchmark/synthetic.js";
  const engine = await openEngine("onednn", { threads: 1 });
  for (const width of [0.1, 0.125, 0.15, 0.2, 0.375]) {
    const network = withClasses(scaleWidth(networkByName("paper"), width), 10);
    const options = { batchSize: 2, mode: "train", preprocessing: syntheticPreprocessing(network.input.size) };
    const program = await engine.compile(network, options);
    await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
    const batch = syntheticBatch(2, network.input.size, 10);
    const { loss } = await program.step(batch, { learningRate: 1e-3, momentum: 0.9, weightDecay: 0.0005, seed: 1 });
    console.log(width, Number.isFinite(loss));
    await program.close();
  }
  await engine.close();
`;

const engine = await openIfPossible("onednn");
const reason = typeof engine === "string" ? engine : undefined;
if (typeof engine !== "string") await engine.close();

test.skipIf(reason).each(["winograd", "product", "direct"])(
  `groups of any number of maps train, also where %s is preferred and can't divide them${reason ? ` (skipped: ${reason})` : ""}`,
  async (preference) => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      env: { ...process.env, ALEXNET_ALGORITHMS: preference },
      cwd: new URL("../../..", import.meta.url),
    });
    expect(stdout.trim().split("\n")).toEqual(["0.1 true", "0.125 true", "0.15 true", "0.2 true", "0.375 true"]);
  },
);
