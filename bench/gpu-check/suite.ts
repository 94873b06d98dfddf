import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Precision, precisions } from "#src/engine/engine.js";
import { markdownTable } from "../markdown.js";
import { project } from "../project.js";
import type { Keep, StageOptions } from "./stage.js";

/** Random layers of each kind at the network's full width: the kernels of each shape have to be compiled. */
const RUNS = 12;

interface Part {
  readonly file: string;
  readonly precision: Precision;
}

interface Outcome {
  readonly passed: number;
  readonly failures: readonly string[];
  /** Why there are no results. */
  readonly error?: string;
}

/** The test suite's own conformance tests, part by part, where vitest is installed. */
export function suite({ folder, width }: StageOptions, keep: Keep): void {
  const vitest = join(project, "node_modules/vitest/vitest.mjs");
  if (!existsSync(vitest)) {
    keep({ status: "skipped", text: "vitest is not there" });
    return;
  }
  const parts: readonly Part[] = ["conformance", "agreement"].flatMap((file) =>
    precisions.map((precision) => ({ file, precision })),
  );
  const AGREEMENT_RUNS = String(Math.max(1, Math.round(RUNS * width)));
  const found: (Part & Outcome)[] = [];
  for (const part of parts) {
    const output = join(folder, `${part.file}-${part.precision}.json`);
    const flags = ["-t", `engine cuda ${part.precision}`, "--reporter=json", `--outputFile=${output}`];
    const { stderr } = spawnSync(process.execPath, [vitest, "run", `test/engine/${part.file}`, ...flags], {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, AGREEMENT_RUNS },
    });
    const outcome = existsSync(output)
      ? outcomeOf(output)
      : { passed: 0, failures: [], error: stderr.trim().split("\n").at(-1) };
    found.push({ ...part, ...outcome });
    const isWrong = found.some(({ passed, failures }) => passed === 0 || failures.length > 0);
    keep({ status: isWrong ? "failed" : undefined, data: found, text: describe(found, parts.length) });
  }
}

/** What counts of vitest's report. */
const resultsSchema = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({ status: z.string(), fullName: z.string(), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
});

function outcomeOf(output: string): Outcome {
  const { testResults } = resultsSchema.parse(JSON.parse(readFileSync(output, "utf8")));
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.filter(({ status }) => status === "failed");
  return {
    passed: tests.filter(({ status }) => status === "passed").length,
    failures: failed.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages?.[0]?.split("\n")[0]}`),
  };
}

function describe(found: readonly (Part & Outcome)[], planned: number): string {
  const rows = found.map(({ file, precision, passed, failures, error }) => [
    ...[file, precision, passed],
    error ?? failures.length,
  ]);
  const list = found.flatMap(({ failures }) => failures.map((failure) => `- ${failure}`));
  const rest = found.length < planned ? [`${planned - found.length} of ${planned} parts have not run yet.`] : [];
  return [markdownTable(["tests", "precision", "passed", "failed"], rows), ...rest, ...list].join("\n\n");
}
