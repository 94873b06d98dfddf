import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../support/folders.js";
import { openIfPossible } from "../../support/networks.js";

const run = promisify(execFile);
const root = new URL("../../..", import.meta.url);

/** What `alexnet info` prints first, with this environment. */
async function info(precision: string, env: Readonly<Record<string, string>>): Promise<string> {
  const args = ["dist/cli/main.js", "info", "--precision", precision];
  const { stdout, stderr } = await run(process.execPath, args, { cwd: root, env: { ...process.env, ...env } }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return `${stdout}${stderr}`;
}

const opened = await openIfPossible("onednn", { precision: "bf16" });
const reason = typeof opened === "string" ? opened : undefined;
const hasAmx = typeof opened !== "string" && opened.description.instructionSet.includes("AMX");
if (typeof opened !== "string") await opened.close();

test.skipIf(reason)(
  `a processor without AVX-512, imitated, refuses bf16 and computes in float32 by itself${reason ?? ""}`,
  async () => {
    const older = { ONEDNN_MAX_CPU_ISA: "AVX2" };
    expect(await info("bf16", older)).toMatch(
      /precision bf16: it needs a processor with AVX-512, and oneDNN uses AVX2? here; compute in float32 \(--precision float32\)/,
    );
    expect(await info("auto", older)).not.toContain("bf16");
  },
);

const slow = reason ?? (hasAmx ? "the processor has AMX" : undefined);
test.skipIf(slow)(
  `AVX-512 alone, imitated, computes in float32 by itself, and warns when bf16 is named${slow ?? ""}`,
  async () => {
    const folder = temporaryFolder();
    const env = { ONEDNN_MAX_CPU_ISA: "AVX512_CORE", ALEXNET_ALGORITHMS: "measure", ALEXNET_CACHE: folder };
    expect(await info("auto", env)).toMatch(
      /float32: a training step of three layers took \d+ ms in bf16 and \d+ ms in float32/,
    );
    expect(await info("bf16", env)).toMatch(
      /bf16 is slower than float32 here: a training step .* \(0\.\d\d times as fast\)/,
    );
  },
);
