import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The test suite's own conformance tests, where vitest is there. */
export default function suite({ keep, folder }) {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  if (!existsSync(vitest)) return keep({ status: "skipped", text: "vitest is not there" });
  const output = join(folder, "vitest.json");
  const files = ["test/engine/conformance.test.ts", "test/engine/agreement.test.ts"].filter((file) =>
    existsSync(join(root, file)),
  );
  const flags = ["-t", "engine cuda", "--reporter=json", `--outputFile=${output}`];
  const { stderr } = spawnSync(process.execPath, [vitest, "run", ...files, ...flags], { cwd: root, encoding: "utf8" });
  if (!existsSync(output)) throw new Error(`vitest wrote no results: ${stderr.trim().split("\n").at(-1)}`);
  const { testResults } = JSON.parse(readFileSync(output, "utf8"));
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === "passed").length;
  const wrong = tests.filter(({ status }) => status === "failed");
  const failures = wrong.map(({ fullName, failureMessages }) => `- ${fullName}: ${failureMessages[0]?.split("\n")[0]}`);
  const text = [`${passed} tests passed, ${wrong.length} failed`, ...failures].join("\n");
  keep({ ...((wrong.length > 0 || passed === 0) && { status: "failed" }), data: { passed, failures }, text });
}
