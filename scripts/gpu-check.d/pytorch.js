import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { syntheticBatch } from "../../dist/benchmark/synthetic.js";
import { classCount } from "../../dist/network/transform.js";
import { median } from "../../dist/scoring/quantiles.js";
import { compileTraining, networkOf, STEP, table, withCuda } from "./common.js";

const peer = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "bench/peers/pytorch-cuda.py");
/** Of the errors, those that say that there is nothing to compare with. */
const ABSENT = /ENOENT|No module named 'torch'|finds no GPU/;
const ROUNDS = 7;

/** PyTorch in its quickest ways and this engine, in turn, with the pictures on the device. */
export default async function pytorch({ keep, batches, steps, precision, python, ...options }) {
  const network = networkOf(options);
  const rows = [];
  const largestFirst = [...batches].sort((a, b) => b - a);
  for (const flags of [["--compile"], []])
    for (const batchSize of largestFirst) {
      const other = startPeer(python, batchSize, steps, flags);
      const { version, error } = await other.next();
      if (version === undefined && ABSENT.test(error)) return keep({ status: "skipped", text: error });
      if (version === undefined) rows.push({ batchSize, flags, error });
      else
        rows.push({ batchSize, flags, version, ...(await takeTurns(other, network, { batchSize, steps, precision })) });
      other.stop();
      keep({ ...(rows.every((row) => row.error) && { status: "failed" }), data: rows, text: describe(rows) });
    }
}

async function takeTurns(other, network, { batchSize, steps, precision }) {
  const [ours, theirs] = [[], []];
  await withCuda(precision, async (engine) => {
    const batch = syntheticBatch(batchSize, network.input.size, classCount(network));
    const program = await compileTraining(engine, network, batchSize);
    for (let round = 0; round < ROUNDS; round++) {
      ours.push((await program.profile(batch, STEP, steps)).milliseconds);
      theirs.push((await other.step()).milliseconds);
    }
    await program.close();
  });
  return { ours, theirs, ratio: median(theirs.map((milliseconds, i) => milliseconds / ours[i])) };
}

function describe(rows) {
  const rate = (batchSize, times) => ((1000 * batchSize) / median(times)).toFixed(0);
  const cells = rows.map(({ batchSize, flags, version, error, ours, theirs, ratio }) => {
    if (version === undefined) return [batchSize, flags.join(" "), "", error, ""];
    const rates = [ours, theirs].map((times) => rate(batchSize, times));
    return [batchSize, [version, ...flags].join(" "), ...rates, ratio.toFixed(2)];
  });
  return table(["batch", "peer", "pictures/s", "the peer's", "times as fast"], cells);
}

function startPeer(python, batchSize, steps, flags) {
  const child = spawn(python, [peer, "--batch", String(batchSize), "--steps", String(steps), ...flags]);
  let errors = "";
  child.stderr.on("data", (text) => {
    errors = (errors + text).slice(-4000);
  });
  child.on("error", (error) => {
    errors += error.message;
  });
  child.stdin.on("error", () => {}); // it has ended: its next line says so
  const ended = new Promise((done) => child.on("close", done)); // all that it had to say is there then
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value } = await lines.next();
    if (value !== undefined) return JSON.parse(value);
    await ended;
    return { error: errors.trim().split("\n").at(-1) || "it ended" };
  };
  const step = async () => {
    child.stdin.write("step\n");
    const { milliseconds, error } = await next();
    if (milliseconds === undefined) throw new Error(`PyTorch: ${error}`);
    return { milliseconds };
  };
  return { next, step, stop: () => child.kill() };
}
