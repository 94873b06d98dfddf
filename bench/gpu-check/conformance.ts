import { precisions } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { type Candidate, type Comparison, compareLayers, compareSteps, isClose } from "#src/engine/host/self-check.js";
import { paper } from "#src/network/architectures/paper.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { markdownTable } from "../markdown.js";
import { networkOf } from "./common.js";
import type { Keep, StageOptions } from "./stage.js";

/** Every layer of the network, then steps of a narrow one, in each precision beside the reference engine. */
export async function conformance(options: StageOptions, keep: Keep): Promise<void> {
  const reference = await openEngine("reference");
  const candidates: Candidate[] = [];
  for (const precision of precisions) candidates.push({ precision, engine: await openEngine("cuda", { precision }) });
  const found: Comparison[] = [];
  const narrow = withClasses(scaleWidth(paper, 1 / 8), 16);
  const comparisons = [
    compareLayers(candidates, reference, networkOf(options)),
    compareSteps(candidates, reference, narrow),
  ];
  for (const each of comparisons)
    for await (const comparison of each) {
      found.push(comparison);
      const wrong = found.filter((other) => !isClose(other));
      keep({ status: wrong.length > 0 ? "failed" : undefined, data: found, text: describe(found, wrong) });
    }
  for (const { engine } of candidates) await engine.close();
  await reference.close();
}

function describe(found: readonly Comparison[], wrong: readonly Comparison[]): string {
  const rows = precisions.flatMap((precision) => {
    const own = found.filter((comparison) => comparison.precision === precision);
    return [
      ...worstOf(
        "outputs and gradients of any layer",
        own.filter(({ what }) => !what.startsWith("loss")),
      ),
      ...worstOf(
        "losses of a narrow network",
        own.filter(({ what }) => what.startsWith("loss")),
      ),
    ].map((cells) => [precision, ...cells]);
  });
  const list = wrong.map(({ layer, precision, what, error }) => `- ${layer} ${what}, ${precision}: ${error}`);
  return [markdownTable(["precision", "what", "worst relative error", "tolerance"], rows), ...list].join("\n");
}

/** The row of the comparison that comes closest to its tolerance, or is furthest beyond; none without comparisons. */
function worstOf(title: string, comparisons: readonly Comparison[]): readonly string[][] {
  const [first, ...others] = comparisons;
  if (first === undefined) return [];
  const { layer, what, error, tolerance } = others.reduce(
    (a, b) => (b.error / b.tolerance <= a.error / a.tolerance ? a : b),
    first,
  );
  return [[title, `${error.toExponential(1)} (${layer} ${what})`, tolerance.toExponential(0)]];
}
