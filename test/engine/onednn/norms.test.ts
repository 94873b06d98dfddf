import { describe, expect, it } from "vitest";
import { openEngine } from "#src/engine/host/open.js";
import type { LocalResponseNorm } from "#src/network/network.js";
import { expectTensorClose } from "../../support/compare.js";
import { normalTensor, openIfPossible } from "../../support/networks.js";
import { tolerances } from "../../support/tolerances.js";

/** (batch, maps, height, width): versions of the library ended the process, or gave wrong gradients, for some of these. */
const shapes = [
  [1, 12, 1, 1],
  [1, 1, 1, 1],
  [2, 24, 1, 1],
  [2, 33, 1, 1],
  [3, 64, 1, 1],
  [2, 5, 1, 7],
  [1, 13, 3, 2],
] as const;

const norm = (n: number, more: Partial<LocalResponseNorm>): LocalResponseNorm => ({
  ...{ kind: "local-response-norm", name: "norm", k: 1, n, alpha: 0.9, beta: 0.75 },
  ...more,
});

describe.each(["float32", "bf16"] as const)("response normalisation in %s", (precision) => {
  it.each([1, 3, 5, 7, 9, 15])("over windows of %i, asked for again and again", async (n) => {
    const engine = await openIfPossible("onednn", { threads: 1, precision });
    if (typeof engine === "string") return expect(engine).toMatch(/oneDNN|AVX-512/); // what is missing
    const reference = await openEngine("reference");
    for (const shape of shapes)
      for (const layer of [norm(n, {}), norm(n, { beta: 1 }), norm(n, { region: "within-map" })]) {
        const inputs = { x: normalTensor(1, ...shape), dy: normalTensor(2, ...shape) };
        const expected = await reference.differentiate(layer, inputs);
        for (let call = 0; call < 3; call++) {
          const { y, dx } = await engine.differentiate(layer, inputs);
          const what = `${shape.join("x")}, beta ${layer.beta}, ${layer.region ?? "across maps"}`;
          expectTensorClose(y, expected.y, tolerances[precision].layer, `y of ${what}`);
          expectTensorClose(dx, expected.dx, tolerances[precision].layer, `dx of ${what}`);
        }
      }
    await engine.close();
    await reference.close();
  });
});
