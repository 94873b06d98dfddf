import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { setTimeout } from "node:timers/promises";

/** One program in a comparison. */
export interface Side {
  readonly name: string;
  /** What it is: "PyTorch 2.11.0". */
  readonly version: string;
  /** Milliseconds of one step. */
  measure(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * A side in a process of its own: it prints {"version"} as JSON when it is warm, then for each line it is sent runs
 * one step and prints {"milliseconds"}.
 */
export async function startProcess(name: string, command: string, args: readonly string[]): Promise<Side> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const errors: string[] = [];
  child.stderr.on("data", (text) => errors.push(String(text)));
  const lines = createInterface(child.stdout);
  const { version } = await nextLine(name, child, lines, errors);
  return {
    name,
    version: String(version),
    async measure() {
      child.stdin.write("step\n");
      return Number((await nextLine(name, child, lines, errors)).milliseconds);
    },
    async stop() {
      child.kill();
    },
  };
}

function nextLine(
  name: string,
  child: ChildProcess,
  lines: Interface,
  errors: readonly string[],
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const ended = (): void => {
      reject(new Error(`${name} ended: ${errors.join("").trim().split("\n").at(-1) ?? "without a word"}`));
    };
    child.once("exit", ended);
    child.once("error", reject);
    lines.once("line", (line) => {
      child.off("exit", ended);
      child.off("error", reject);
      resolve(JSON.parse(line) as Record<string, unknown>);
    });
  });
}

/** Milliseconds after which a side's idle threads have stopped spinning, which would slow the other side. */
const SETTLING = 100;

/** Each in its turn, `rounds` times: whatever else the machine does falls on all. @returns what each measured */
export async function inTurns(
  rounds: number,
  measures: readonly (() => Promise<number>)[],
): Promise<readonly (readonly number[])[]> {
  const found = measures.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [side, measure] of measures.entries()) {
      await setTimeout(SETTLING);
      found[side]?.push(await measure());
    }
  return found;
}
