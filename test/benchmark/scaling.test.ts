import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { predictScaling, timesAtRate, wireBy } from "#src/benchmark/scaling.js";
import { allReduce, secondsOf } from "#src/distributed/cost/collectives.js";
import { computeSeconds, type StepTimes } from "#src/distributed/cost/step.js";
import { paper } from "#src/network/architectures/paper.js";
import { parameterCount } from "#src/network/parameters.js";
import { alexnet } from "../support/command-line.js";
import { tinyNetwork } from "../support/training.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "alexnet-scaling-"));
  writeFileSync(join(folder, "tiny.json"), JSON.stringify(tinyNetwork));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quick = (engine = "reference"): readonly string[] => {
  const network = ["--network", join(folder, "tiny.json"), "--engine", engine, "--threads", "1"];
  return ["bench", "scaling", ...network, "--batch", "2", "--steps", "2"];
};

describe("the wire by what reductions took", () => {
  const wire = { latency: 50e-6, bytesPerSecond: 2e8 };

  it.each([2, 4, 8])("is the one on which %i ranks take as long", (ranks) => {
    const least = secondsOf(allReduce(ranks, 4, { ...wire, bytesPerSecond: 1e15 }), wire);
    const found = wireBy(ranks, least, { bytes: 151e6, seconds: secondsOf(allReduce(ranks, 151e6, wire), wire) });
    expect(found.latency / wire.latency).toBeCloseTo(1, 3);
    expect(found.bytesPerSecond / wire.bytesPerSecond).toBeCloseTo(1, 3);
  });

  it("has a rate also where many values took no longer than one", () => {
    expect(wireBy(2, 1e-3, { bytes: 1000, seconds: 0.9e-3 }).bytesPerSecond).toBeGreaterThan(0);
  });
});

describe("predictions", () => {
  const times = {
    forward: 0.6,
    buckets: [
      { layers: ["fc6"], bytes: 235e6, seconds: 0.1 },
      { layers: ["conv1"], bytes: 9e6, seconds: 1 },
    ],
    update: 0.06,
  };
  const measured = { times, batchSize: 128, sumBytesPerSecond: 5e9 };

  it("are for the powers of two up to the most, and of one node what was measured", () => {
    const predictions = predictScaling(paper, measured, { latency: 2e-5, bytesPerSecond: 1.25e8 }, 100);
    expect(predictions.map(({ nodes }) => nodes)).toEqual([1, 2, 4, 8, 16, 32, 64]);
    expect(predictions[0]?.plain.efficiency).toBeCloseTo(1, 12);
    expect(predictions[0]?.hybrid.imagesPerSecond).toBeCloseTo(128 / computeSeconds(times), 9);
    for (const { nodes, plain } of predictions)
      expect(plain.imagesPerSecond).toBeCloseTo((nodes * 128 * plain.efficiency) / computeSeconds(times), 6);
  });

  it("of quicker nodes have as quick a step, and less of it to hide the exchange in", () => {
    const quicker = timesAtRate(measured, 1000);
    expect(computeSeconds(quicker)).toBeCloseTo(0.128, 12);
    expect(quicker.update / quicker.forward).toBeCloseTo(0.1, 12);
    const wire = { latency: 2e-5, bytesPerSecond: 1.25e9 };
    const efficiency = (some: typeof times): number =>
      predictScaling(paper, { times: some, batchSize: 128 }, wire, 8).at(-1)?.plain.efficiency ?? Number.NaN;
    expect(efficiency({ ...times, ...quicker, buckets: [...times.buckets] })).toBeLessThan(efficiency(times));
  });
});

describe("alexnet bench scaling", () => {
  it("predicts each wire that is named, within 80 columns, and draws it", { timeout: 120_000 }, () => {
    const svg = join(folder, "scaling.svg");
    const { status, stdout, stderr } = alexnet(...quick(), "--wire", "1gbit,2.5gbit", "--nodes", "1000", "--svg", svg);
    expect(status, stderr).toBe(0);
    expect(stdout.match(/^predicted for a wire of .*$/gm)).toEqual([
      "predicted for a wire of 1 Gbit/s, a rank a node:",
      "predicted for a wire of 2.5 Gbit/s, a rank a node:",
    ]);
    expect(stdout.match(/^512 .*$/gm)).toHaveLength(2);
    const table = stdout.split("\n").filter((line) => /^(?:nodes|\d+ ) /.test(line));
    expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(80);
    const drawing = readFileSync(svg, "utf8");
    for (const name of ["1 Gbit/s", "2.5 Gbit/s", "Sun 2019"]) expect(drawing).toContain(name);
  });

  it("predicts for nodes of another rate", { timeout: 120_000 }, () => {
    const { stdout } = alexnet(...quick(), "--rate", "1000", "--nodes", "2", "--json");
    const { predicted } = JSON.parse(stdout) as {
      predicted: { predictions: { plain: { imagesPerSecond: number } }[] }[];
    };
    expect(predicted[0]?.predictions[0]?.plain.imagesPerSecond).toBeCloseTo(1000, 6);
  });

  it.each([
    ["--wire", "fast", "Give rates such as 10gbit"],
    ["--wire", "10gbit,", "Give rates such as 10gbit"],
    ["--wire", "0gbit", "Give rates such as 10gbit"],
    ["--latency", "2", "Give a time such as 2us"],
    ["--nodes", "0", "Give a whole number from 1 to 65536"],
  ])("refuses %s %s", (option, value, problem) => {
    const { status, stderr } = alexnet(...quick(), option, value);
    expect(status).toBe(2);
    expect(stderr).toContain(problem);
  });
});

const launchers = [
  { family: "Open MPI", mpirun: "mpirun.openmpi", options: ["--oversubscribe", "--bind-to", "none"] },
  { family: "MPICH", mpirun: "mpirun.mpich", options: [] },
];

const ranks = 2;
it.for(launchers)(
  "ranks of $family are measured together, and one of them says what it found",
  { timeout: 120_000 },
  async ({ mpirun, options }, { skip }) => {
    if (!isThere(mpirun)) skip(`there is no ${mpirun}`);
    const arguments_ = [...quick("onednn"), "--precision", "float32", "--nodes", "4", "--json"];
    const command = [process.execPath, "dist/cli/main.js", ...arguments_];
    const { stdout } = await promisify(execFile)(mpirun, [...options, "-np", String(ranks), ...command], {
      timeout: 100_000,
      env: {
        ...process.env,
        ALEXNET_ALGORITHMS: "default",
        OMPI_ALLOW_RUN_AS_ROOT: "1",
        OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
      },
    });
    const found = JSON.parse(stdout);
    const positive = expect.toSatisfy((value: number) => value > 0 && Number.isFinite(value));
    const share = expect.toSatisfy((value: number) => value >= 0 && value <= 1);
    expect(found).toMatchObject({
      batchSize: 2,
      times: { forward: positive, update: positive },
      together: { ranks, step: positive, exchange: positive, hidden: share, wire: { bytesPerSecond: positive } },
      predicted: [{ predictions: [{ nodes: 1 }, { nodes: 2 }, { nodes: 4 }] }],
    });
    const { buckets } = found.times as StepTimes;
    expect(buckets.map(({ layers }) => layers)).toEqual([["fc3"], ["fc2"], ["conv1"]]);
    const gradients = buckets.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(gradients).toBeGreaterThanOrEqual(4 * parameterCount(tinyNetwork));
    expect(found.predicted[0].predictions[1].plain.sentBytes).toBe(gradients + 24); // the loss and two counts
  },
);

function isThere(command: string): boolean {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
