// Writes docs/claims.md and its figures from results of `alexnet claims`: give their folder, and what the pictures are.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { claims } from "../dist/claims/claims.js";
import { claimFigure, claimSection } from "../dist/claims/page.js";
import { readClaimResult } from "../dist/claims/result.js";

const [results, pictures] = process.argv.slice(2);
if (results === undefined || pictures === undefined)
  throw new Error('usage: node scripts/document-claims.js <folder of results> "<what the pictures are>"');
const docs = fileURLToPath(new URL("../docs/", import.meta.url));
mkdirSync(join(docs, "claims"), { recursive: true });
const sections = claims.flatMap((claim) => {
  const path = join(results, claim.name, "result.json");
  if (!existsSync(path)) return [];
  const result = readClaimResult(path);
  writeFileSync(join(docs, "claims", `${claim.name}.svg`), claimFigure(claim, result));
  const command = `alexnet claims ${claim.name} <pictures> --seeds ${result.seeds} --epochs ${result.epochs} --threads ${result.machine.threads}`;
  return [claimSection(claim, result, `claims/${claim.name}.svg`, command)];
});
const untried = claims.filter(({ name }) => !existsSync(join(results, name, "result.json")));
const introduction = `# The paper's claims, tried

\`alexnet claims\` lists what the paper claims and can be tried; \`alexnet claims relu <pictures>\` trains both sides with
several seeds and answers **supports**, **does not** or **can't tell at this size**. Without pictures a drawn set serves.
What was trained is not trained again, so that more seeds or a stopped command cost only what is missing. Everything goes
to \`claims/relu/\`: \`index.html\`, \`figure.svg\`, \`result.json\`, and the runs.

- Sides are paired by seed and by validation picture. The interval is that of a paired bootstrap over both.
- "supports" is an interval above 0; "does not" is one below the least effect that would bear the claim out; else, and
  with one seed, nothing can be told.
- Where a side might need another learning rate, both are tried at the same rates, for a quarter of the epochs.
- Networks are small and pictures 32x32: what holds here need not hold at the paper's size, nor the other way round.

The results below are of ${pictures}. This page was written from them by \`scripts/document-claims.js\`.${
  untried.length === 0 ? "" : ` Not tried here yet: ${untried.map(({ name }) => name).join(", ")}.`
}`;
writeFileSync(join(docs, "claims.md"), `${[introduction, ...sections].join("\n\n")}\n`);
