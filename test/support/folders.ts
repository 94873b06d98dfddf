import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished, TestRunner } from "vitest";

/**
 * An empty folder that goes when the test does; one that is made outside of tests goes when all tests around have ended.
 * @param prefix what its name begins with
 */
export function temporaryFolder(prefix = "alexnet-test-"): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  const onEnd = TestRunner.getCurrentTest() === undefined ? afterAll : onTestFinished;
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
