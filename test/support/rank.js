// One rank of a world of MPI: makes the steps of a job on its share of each batch, and writes what it has at the
// end to <job file>.<rank>: mpirun mixes what ranks print.
// mpirun -np <ranks> node rank.js <job file>

import { readFileSync, writeFileSync } from "node:fs";
import { openMpiWorld } from "#src/distributed/mpi/world.js";
import { sharedStep } from "#src/distributed/step.js";
import { openEngine } from "#src/engine/host/open.js";
import { initialise } from "#src/network/initialise.js";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const world = openMpiWorld();
const { rank, size } = world;

const shared = Float64Array.of(rank + 7);
await world.share(shared);

const engine = await openEngine(job.engine, { threads: 1, precision: job.engine === "onednn" ? "float32" : undefined });
const program = await engine.compile(job.network, {
  batchSize: job.labels.length,
  mode: "train",
  preprocessing: { ...job.preprocessing, mean: Float32Array.from(job.preprocessing.mean) },
  bucketBytes: 1000,
});
await program.write("parameters", initialise(job.network, job.initialisation, 1));

// Unequal shares: of 5 samples, 3 ranks have 1, 2 and 2; of 2 samples, one rank has none.
const bound = (part) => Math.floor((part * job.labels.length) / size);
const batch = {
  pictures: Uint8Array.from(job.pictures),
  views: job.views.slice(bound(rank), bound(rank + 1)),
  labels: Int32Array.from(job.labels.slice(bound(rank), bound(rank + 1))),
};
const results = [];
const firstSample = bound(rank);
for (const step of job.steps) results.push(await sharedStep(world, program, batch, { ...step, firstSample }));
const parameters = Buffer.from((await program.read("parameters")).buffer).toString("base64");
await engine.close();
await world.close();
writeFileSync(`${process.argv[2]}.${rank}`, JSON.stringify({ rank, size, shared: [...shared], results, parameters }));
