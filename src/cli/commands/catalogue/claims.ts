import { join } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import type { Claim } from "../../../claims/claim.js";
import { claimByName, claims } from "../../../claims/claims.js";
import { estimateSeconds, type TrialSize } from "../../../claims/estimate.js";
import { claimCharts, verdictSentence } from "../../../claims/page.js";
import type { ClaimResult } from "../../../claims/result.js";
import { CLAIM_DEFAULTS, tryClaim } from "../../../claims/trial.js";
import { engineNames } from "../../../engine/host/engines.js";
import { openEngine } from "../../../engine/host/open.js";
import { withoutUndefined } from "../../../options.js";
import { printCharts } from "../../display/plot.js";
import { clock, printJson, thousands } from "../../display/print.js";
import { choice, duration, ENGINE_HELP, wholeNumber } from "../../flags.js";
import { runTask } from "../../run-task.js";
import { addTyped } from "../../typed.js";

/** Training pictures that the list's times are for. */
const LISTED = 10_000;

export function register(program: Program): void {
  addTyped(
    program,
    new Command("claims")
      .description("try what the paper claims: trains each side several times and says whether it holds at this size")
      .argument("[claim]", "one of the list that is printed without it, or all")
      .argument("[pictures]", "folders of classes, an archive or a store of 32x32 pictures; default a drawn set")
      .option("--seeds <count>", "runs of each side", wholeNumber(1), CLAIM_DEFAULTS.seeds)
      .option("--epochs <count>", "times through the pictures, of each run", wholeNumber(1), CLAIM_DEFAULTS.epochs)
      .option(
        "--out <folder>",
        "folder of the results; what was trained there is not trained again",
        CLAIM_DEFAULTS.out,
      )
      .option("--time-budget <span>", "of all: leave out the claims that would not fit, such as 2h", duration)
      .option("--engine <name>", ENGINE_HELP, choice(["auto", ...engineNames]))
      .option("--threads <count>", "threads that compute", wholeNumber(1))
      .option("--json", "print JSON")
      .action(async (name, data, { timeBudget, json, ...options }) => {
        const machine = { engine: options.engine, threads: options.threads };
        if (name === undefined) {
          await list(options, machine, json === true);
          return;
        }
        const wanted = name === "all" ? claims : [claimByName(name)];
        const fits = timeBudget === undefined ? () => true : await budget(timeBudget, options, machine);
        const given = withoutUndefined({ ...options, data });
        const results: ClaimResult[] = [];
        for (const claim of wanted) {
          if (!fits(claim, results[0]?.data.train)) continue;
          const result = await runTask((task) => tryClaim({ ...given, claim: claim.name, ...task }));
          results.push(result);
          if (!json) print(claim, result, options.out);
        }
        if (json) printJson(name === "all" ? results : results[0]);
      }),
  );
}

interface Machine {
  readonly engine?: Parameters<typeof openEngine>[0] | undefined;
  readonly threads?: number | undefined;
}

async function matrixRate({ engine = "auto", threads }: Machine): Promise<number> {
  const opened = await openEngine(engine, { threads });
  try {
    return await opened.measureMatrixRate(1024);
  } finally {
    await opened.close();
  }
}

/** Whether a claim fits into what is left of the time; says so where it does not. */
async function budget(seconds: number, size: Pick<TrialSize, "seeds" | "epochs">, machine: Machine) {
  const rate = await matrixRate(machine);
  const started = performance.now();
  return (claim: Claim, pictures = LISTED): boolean => {
    const left = Math.max(0, seconds - (performance.now() - started) / 1000);
    const needed = estimateSeconds(claim, { ...size, pictures }, rate);
    if (needed > left)
      console.error(`${claim.name}: left out; it takes about ${clock(needed)}, and ${clock(left)} are left`);
    return needed <= left;
  };
}

async function list(size: Pick<TrialSize, "seeds" | "epochs">, machine: Machine, json: boolean) {
  const rate = await matrixRate(machine);
  const rows = claims.map((claim) => {
    const { name, section, says, compares } = claim;
    return { name, section, says, compares, seconds: estimateSeconds(claim, { ...size, pictures: LISTED }, rate) };
  });
  if (json) {
    printJson(rows);
    return;
  }
  for (const { name, section, says, compares, seconds } of rows)
    console.log(`${name}: section ${section}, about ${clock(seconds)}\n  the paper: ${says}\n  tried: ${compares}\n`);
  console.log(
    `times are rough, for ${thousands(LISTED)} training pictures, ${size.seeds} seeds and ${size.epochs} epochs on this machine\n` +
      "try one: alexnet claims relu <pictures>; without pictures, on a drawn set",
  );
}

function print(claim: Claim, result: ClaimResult, out: string): void {
  printCharts(claimCharts(claim, result).slice(-1));
  console.log(`\n${claim.name}, section ${claim.section}: ${claim.says}`);
  console.log(verdictSentence(claim, result));
  console.log(`${join(out, claim.name, "index.html")} has the figure, every run and what others measured\n`);
}
