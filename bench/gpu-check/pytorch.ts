import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { syntheticBatch } from "#src/benchmark/synthetic.js";
import type { Precision } from "#src/engine/engine.js";
import type { Network } from "#src/network/network.js";
import { classCount } from "#src/network/transform.js";
import { median } from "#src/scoring/quantiles.js";
import { markdownTable } from "../markdown.js";
import { project } from "../project.js";
import { compileTraining, networkOf, STEP, withCuda } from "./common.js";
import type { Keep, StageOptions } from "./stage.js";

const peerProgram = join(project, "bench/peers/pytorch-cuda.py");
/** Errors that say that there is nothing to compare with. */
const ABSENT = /ENOENT|No module named 'torch'|finds no GPU/;
const ROUNDS = 7;

const lineSchema = z.object({
  version: z.string().optional(),
  milliseconds: z.number().optional(),
  error: z.string().optional(),
});
type Line = z.infer<typeof lineSchema>;

/** Milliseconds of a step, round by round. */
interface Turns {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  /** How many times as fast as the peer this engine is: the median over the rounds. */
  readonly ratio: number;
}

interface Row {
  readonly batchSize: number;
  readonly flags: readonly string[];
  /** The peer's, where it ran. */
  readonly version?: string;
  readonly turns?: Turns;
  /** Why it didn't. */
  readonly error?: string;
}

/** PyTorch compiled and not, and this engine, in turn, with the pictures on the device. */
export async function pytorch(options: StageOptions, keep: Keep): Promise<void> {
  const { batches, steps, precision, python } = options;
  const network = networkOf(options);
  const rows: Row[] = [];
  const largestFirst = [...batches].sort((a, b) => b - a);
  for (const flags of [["--compile"], []])
    for (const batchSize of largestFirst) {
      const peer = startPeer(python, ["--batch", String(batchSize), "--steps", String(steps), ...flags]);
      const { version, error = "it said nothing" } = await peer.next();
      if (version === undefined && ABSENT.test(error)) return keep({ status: "skipped", text: error });
      if (version === undefined) rows.push({ batchSize, flags, error });
      else {
        const turns = await takeTurns(peer, network, { batchSize, steps, precision });
        rows.push({ batchSize, flags, version, turns });
      }
      peer.stop();
      const isAll = rows.every((row) => row.error !== undefined);
      keep({ status: isAll ? "failed" : undefined, data: rows, text: describe(rows) });
    }
}

interface How {
  readonly batchSize: number;
  readonly steps: number;
  readonly precision: Precision;
}

function takeTurns(peer: Peer, network: Network, { batchSize, steps, precision }: How): Promise<Turns> {
  return withCuda(precision, async (engine) => {
    const batch = syntheticBatch(batchSize, network.input.size, classCount(network));
    const program = await compileTraining(engine, network, batchSize);
    const [ours, theirs, ratios]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < ROUNDS; round++) {
      const { milliseconds } = await program.profile(batch, STEP, steps);
      const other = await peer.step();
      ours.push(milliseconds);
      theirs.push(other);
      ratios.push(other / milliseconds);
    }
    await program.close();
    return { ours, theirs, ratio: median(ratios) };
  });
}

function describe(rows: readonly Row[]): string {
  const cells = rows.map(({ batchSize, flags, version, turns, error = "" }) => {
    if (turns === undefined) return [batchSize, flags.join(" "), "", error, ""];
    const rates = [turns.ours, turns.theirs].map((times) => ((1000 * batchSize) / median(times)).toFixed(0));
    return [batchSize, [version, ...flags].join(" "), ...rates, turns.ratio.toFixed(2)];
  });
  return markdownTable(["batch", "peer", "pictures/s", "the peer's", "times as fast"], cells);
}

interface Peer {
  /** Its next line; an error where it has ended. */
  next(): Promise<Line>;
  /** Milliseconds of one step. */
  step(): Promise<number>;
  stop(): void;
}

function startPeer(python: string, args: readonly string[]): Peer {
  const child = spawn(python, [peerProgram, ...args]);
  let errors = "";
  child.stderr.on("data", (text: Buffer) => {
    errors = (errors + String(text)).slice(-4000);
  });
  child.on("error", (error) => {
    errors += error.message;
  });
  child.stdin.on("error", () => {}); // it has ended: its next line says so
  const ended = new Promise((done) => child.on("close", done)); // all that it had to say is there then
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<Line> => {
    const { value, done } = await lines.next();
    if (!done) return lineSchema.parse(JSON.parse(value));
    await ended;
    return { error: errors.trim().split("\n").at(-1) || "it ended" };
  };
  const step = async (): Promise<number> => {
    child.stdin.write("step\n");
    const { milliseconds, error } = await next();
    if (milliseconds === undefined) throw new Error(`PyTorch: ${error}`);
    return milliseconds;
  };
  return { next, step, stop: () => child.kill() };
}
