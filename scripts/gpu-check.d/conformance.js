import { precisions } from "../../dist/engine/engine.js";
import { openEngine } from "../../dist/engine/host/open.js";
import { compareLayers, compareSteps, isClose } from "../../dist/engine/host/self-check.js";
import { paper } from "../../dist/network/architectures/paper.js";
import { scaleWidth, withClasses } from "../../dist/network/transform.js";
import { networkOf, table } from "./common.js";

/** Every layer of the network, then steps of a narrow one, in each precision beside the reference engine. */
export default async function conformance({ keep, ...options }) {
  const reference = await openEngine("reference");
  const candidates = [];
  for (const precision of precisions) candidates.push({ precision, engine: await openEngine("cuda", { precision }) });
  const found = [];
  const narrow = withClasses(scaleWidth(paper, 1 / 8), 16);
  const comparisons = [
    compareLayers(candidates, reference, networkOf(options)),
    compareSteps(candidates, reference, narrow),
  ];
  for (const each of comparisons)
    for await (const comparison of each) {
      found.push(comparison);
      const wrong = found.filter((other) => !isClose(other));
      keep({ ...(wrong.length > 0 && { status: "failed" }), data: found, text: describe(found, wrong) });
    }
  for (const { engine } of [...candidates, { engine: reference }]) await engine.close();
}

function describe(found, wrong) {
  const rows = precisions.flatMap((precision) => {
    const own = found.filter((comparison) => comparison.precision === precision);
    const groups = [
      ["outputs and gradients of any layer", own.filter(({ what }) => !what.startsWith("loss"))],
      ["losses of a narrow network", own.filter(({ what }) => what.startsWith("loss"))],
    ];
    return groups.flatMap(([what, all]) => {
      if (all.length === 0) return [];
      const worst = all.reduce((a, b) => (b.error / b.tolerance <= a.error / a.tolerance ? a : b));
      const { layer, error, tolerance } = worst;
      return [[precision, what, `${error.toExponential(1)} (${layer} ${worst.what})`, tolerance.toExponential(0)]];
    });
  });
  const list = wrong.map(({ layer, precision, what, error }) => `- ${layer} ${what}, ${precision}: ${error}`);
  return [table(["precision", "what", "worst relative error", "tolerance"], rows), ...list].join("\n");
}
