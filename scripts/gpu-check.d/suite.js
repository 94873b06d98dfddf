import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { precisions } from "../../dist/engine/engine.js";
import { table } from "./common.js";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Of random layers of each kind at the network's full width: the kernels of each shape have to be compiled. */
const RUNS = 12;

/** The test suite's own conformance tests, part by part, where vitest is installed. */
export default function suite({ keep, folder, width }) {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  if (!existsSync(vitest)) return keep({ status: "skipped", text: "vitest is not there" });
  const parts = ["conformance", "agreement"].flatMap((file) => precisions.map((precision) => ({ file, precision })));
  const AGREEMENT_RUNS = String(Math.max(1, Math.round(RUNS * width)));
  const found = [];
  for (const part of parts) {
    const output = join(folder, `${part.file}-${part.precision}.json`);
    const flags = ["-t", `engine cuda ${part.precision}`, "--reporter=json", `--outputFile=${output}`];
    const { stderr } = spawnSync(process.execPath, [vitest, "run", `test/engine/${part.file}.test.ts`, ...flags], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, AGREEMENT_RUNS },
    });
    found.push({ ...part, ...(existsSync(output) ? countsOf(output) : { error: stderr.trim().split("\n").at(-1) }) });
    const wrong = found.some(({ passed, failures = [] }) => !passed || failures.length > 0);
    keep({ ...(wrong && { status: "failed" }), data: found, text: describe(found, parts.length) });
  }
}

function countsOf(output) {
  const { testResults } = JSON.parse(readFileSync(output, "utf8"));
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.filter(({ status }) => status === "failed");
  return {
    passed: tests.filter(({ status }) => status === "passed").length,
    failures: failed.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]?.split("\n")[0]}`),
  };
}

function describe(found, planned) {
  const rows = found.map(({ file, precision, passed = 0, failures = [], error = "" }) => [
    ...[file, precision, passed],
    error || failures.length,
  ]);
  const list = found.flatMap(({ failures = [] }) => failures.map((failure) => `- ${failure}`));
  const rest = found.length < planned ? [`${planned - found.length} of ${planned} parts have not run yet.`] : [];
  return [table(["tests", "precision", "passed", "failed"], rows), ...rest, ...list].join("\n\n");
}
