import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real program to its end. */
export function alexnet(...args: readonly string[]): Finished {
  return alexnetIn(process.cwd(), ...args);
}

/** The same in a folder of its own. */
export function alexnetIn(cwd: string, ...args: readonly string[]): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8", cwd });
  return { status, stdout, stderr };
}
