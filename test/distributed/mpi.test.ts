import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchOf } from "#src/distributed/mpi/launcher.js";
import { candidates, shortVersion } from "#src/distributed/mpi/library.js";
import type { StepResult } from "#src/engine/engine.js";
import { openEngine } from "#src/engine/host/open.js";
import { initialise } from "#src/network/initialise.js";
import { expectClose } from "../support/compare.js";
import { centred, noiseBatch, SMALL_CLASSES, smallNetwork } from "../support/networks.js";

const program = fileURLToPath(new URL("../support/rank.js", import.meta.url));

/** Debian's names for each family's own launcher; its library is chosen by who launched. */
const launchers = [
  { family: "Open MPI", mpirun: "mpirun.openmpi", options: ["--oversubscribe", "--bind-to", "none"] },
  { family: "MPICH", mpirun: "mpirun.mpich", options: [] },
];

const isThere = (command: string): boolean => {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

interface Answer {
  readonly rank: number;
  readonly size: number;
  readonly shared: readonly number[];
  readonly results: readonly StepResult[];
  readonly parameters: string;
}

/** With dropout: its masks go by a sample's place in the whole batch. */
const network = smallNetwork;
const initialisation = { deviation: 0.1, biases: {} };
const SAMPLES = 5;
const batch = noiseBatch(SAMPLES, SMALL_CLASSES);
const rates = { learningRate: 0.01, momentum: 0.9, weightDecay: 0.0005 };
const steps = [1, 2, 3].map((seed) => ({ ...rates, seed, samples: SAMPLES }));

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "alexnet-mpi-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let jobs = 0;
function jobFile(engine: string): string {
  const job = join(folder, `job-${jobs++}`);
  const { pictures, views, labels } = batch;
  const preprocessing = { ...centred, mean: [...centred.mean] };
  const whole = { engine, network, initialisation, preprocessing, steps, views };
  writeFileSync(job, JSON.stringify({ ...whole, pictures: [...pictures], labels: [...labels] }));
  return job;
}

/** A parallel program as a user starts it; mpirun refuses root unless it is told that it may. */
async function launch(mpirun: string, options: readonly string[], job: string, environment = {}): Promise<void> {
  await promisify(execFile)(mpirun, [...options, process.execPath, program, job], {
    env: { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1", ...environment },
    timeout: 50_000,
  });
}

/** What the ranks have at the end, by rank. */
async function answers(
  mpirun: string,
  engine: string,
  options: readonly string[],
  ranks: number,
): Promise<readonly Answer[]> {
  const job = jobFile(engine);
  await launch(mpirun, [...options, "-np", String(ranks)], job);
  const names = readdirSync(folder).filter((name) => name.startsWith(`${basename(job)}.`));
  return names
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Answer)
    .sort((a, b) => a.rank - b.rank);
}

describe.each(launchers)("with $family", ({ mpirun, options }) => {
  const there = isThere(mpirun);
  const itRuns = it.skipIf(!there);
  const title = (text: string): string => (there ? text : `${text} (skipped: there is no ${mpirun})`);

  itRuns.each([
    ["reference", 1],
    ["reference", 2],
    ["reference", 3],
    ["reference", 6],
    ["onednn", 2],
    ["onednn", 3],
  ] as const)(
    title("%s: each of %i ranks ends three steps as one process does, with the same bits"),
    async (engineName, ranks) => {
      const engine = await openEngine(engineName, {
        threads: 1,
        precision: engineName === "onednn" ? "float32" : undefined,
      });
      try {
        const alone = await engine.compile(network, { batchSize: SAMPLES, mode: "train", preprocessing: centred });
        await alone.write("parameters", initialise(network, initialisation, 1));
        const expected: StepResult[] = [];
        for (const step of steps) expected.push(await alone.step(batch, step));
        const found = await answers(mpirun, engineName, options, ranks);
        expect(found.map(({ rank, size }) => [rank, size])).toEqual(
          Array.from({ length: ranks }, (_, i) => [i, ranks]),
        );
        for (const { shared, results, parameters } of found) {
          expect(shared).toEqual([7]);
          expect(results).toEqual(found[0]?.results);
          expect(parameters).toBe(found[0]?.parameters);
        }
        for (const [i, { loss, correct }] of (found[0]?.results ?? []).entries()) {
          expect(correct).toBe(expected[i]?.correct);
          expectClose(Float64Array.of(loss), Float64Array.of(expected[i]?.loss ?? Number.NaN), 1e-6, `loss ${i}`);
        }
        expect(found[0]?.results).toHaveLength(steps.length);
        const bytes = Uint8Array.from(Buffer.from(found[0]?.parameters ?? "", "base64"));
        expectClose(new Float32Array(bytes.buffer), await alone.read("parameters"), 1e-6, "parameters");
      } finally {
        await engine.close();
      }
    },
  );

  const otherFile = mpirun === "mpirun.mpich" ? "libmpi.so.40" : "libmpich.so.12";
  const both = launchers.every((launcher) => isThere(launcher.mpirun));
  it.skipIf(!both)(
    `refuses to be two worlds of one, which another MPI's library would make of it${both ? "" : " (skipped: needs both)"}`,
    async () => {
      const started = launch(mpirun, [...options, "-np", "2"], jobFile("reference"), { ALEXNET_MPI_PATH: otherFile });
      await expect(started).rejects.toThrow(/mpirun started 2 processes, but .* sees 1: it is another MPI/);
    },
  );
});

it("who launched a process is told by its environment", () => {
  expect(launchOf({})).toBe(undefined);
  expect(launchOf({ OMPI_COMM_WORLD_SIZE: "4", PMI_SIZE: "9" })).toEqual({ family: "Open MPI", size: 4 });
  expect(launchOf({ PMI_SIZE: "2" })).toEqual({ family: "MPICH", size: 2 });
  expect(launchOf({ SLURM_NTASKS: "8" })).toBe(undefined);
  expect(launchOf({ SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "8" })).toEqual({ family: undefined, size: 8 });
});

it("the launcher's own library is tried first; a file that is named, alone", () => {
  expect(candidates({}, "linux")[0]).toBe("libmpi.so.40");
  expect(candidates({ PMI_SIZE: "2" }, "linux").slice(0, 2)).toEqual(["libmpi.so.12", "libmpich.so.12"]);
  expect(candidates({ ALEXNET_MPI_PATH: "/opt/libmpi.so", PMI_SIZE: "2" }, "linux")).toEqual(["/opt/libmpi.so"]);
  expect(candidates({}, "win32")).toEqual([]);
});

it("a library's name and version are found in what it says of itself", () => {
  expect(shortVersion("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4")).toBe("Open MPI 4.1.4");
  expect(shortVersion("MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr 7")).toBe("MPICH 4.0.2");
  expect(shortVersion("Intel(R) MPI Library 2021.13 for Linux* OS\n")).toBe("Intel(R) MPI 2021.13");
  expect(shortVersion("something else\nmore")).toBe("something else");
});
