import { availableParallelism } from "node:os";
import { measureLoading, withSyntheticStores } from "../../dist/benchmark/loading.js";
import { syntheticBatch } from "../../dist/benchmark/synthetic.js";
import { Device, openDriver } from "../../dist/engine/cuda/driver.js";
import { oneAhead } from "../../dist/evaluation/one-ahead.js";
import { classCount } from "../../dist/network/transform.js";
import { batches as readBatches } from "../../dist/store/reading/batches.js";
import { heldBatches, holdPictures } from "../../dist/store/reading/held-pictures.js";
import { openStore, pictureCount } from "../../dist/store/store.js";
import { addressOf } from "../../dist/system/native/memory.js";
import { compileTraining, networkOf, STEP, table, withCuda } from "./common.js";

/**
 * How fast pictures get from a raw store in the page cache into training, and what limits it; and how fast training is
 * where the device holds them.
 */
export default async function data({ keep, batches, steps, precision, ...options }) {
  const network = networkOf(options);
  const batchSize = Math.max(...batches);
  const found = { batchSize, loading: [] };
  const report = () => keep({ data: found, text: describe(found) });
  found.bringing = bringingRate(batchSize);
  report();
  await withSyntheticStores(
    async ([raw]) => {
      const store = await openStore(raw);
      for (const workers of [1, 2, 4, 8].filter((count) => count <= availableParallelism())) {
        const { picturesPerSecond } = await measureLoading(store, { pictures: steps * batchSize, batchSize, workers });
        found.loading.push({ workers, picturesPerSecond });
        report();
      }
      const { workers } = found.loading.reduce((a, b) => (a.picturesPerSecond >= b.picturesPerSecond ? a : b));
      await withCuda(precision, async (engine) => {
        const program = await compileTraining(engine, network, batchSize);
        const resident = await program.profile(syntheticBatch(batchSize, 227, classCount(network)), STEP, steps);
        found.computing = (1000 * batchSize) / resident.milliseconds;
        report();
        const brought = (how) => readBatches(store, { ...how, workers });
        found.training = await trainingRate(program, brought, { network, batchSize, steps });
        found.workers = workers;
        report();
        const start = performance.now();
        const how = { program, store, cropSize: network.input.size, workers, onProgress: () => {}, signal: undefined };
        const total = pictureCount(store);
        if ((await holdPictures(how)) < total) return;
        found.holding = (1000 * total) / (performance.now() - start);
        found.held = await trainingRate(program, (own) => heldBatches(store, own), { network, batchSize, steps });
        report();
      });
      await store.close();
    },
    {
      pictures: Math.max(512, 2 * batchSize), // batches are full
      encodings: ["raw"],
    },
  );
}

/** Pinned memory to the device's, as an engine brings a batch. */
function bringingRate(batchSize) {
  const pictures = new Uint8Array(new SharedArrayBuffer(batchSize * 256 * 256 * 3)).fill(1);
  const scene = { doing: "" };
  const device = new Device(openDriver(scene), scene);
  const [from, to] = [addressOf(pictures), device.allocate(pictures.length)];
  const pinned = device.pin(from, pictures.length);
  const bring = () => {
    device.copyIn(to.address, from, pictures.length, device.copyStream);
    device.wait(device.copyStream);
  };
  bring();
  const times = Array.from({ length: 10 }, () => {
    const start = performance.now();
    bring();
    return performance.now() - start;
  });
  pinned.close();
  to.close();
  device.close();
  return (1000 * batchSize) / Math.min(...times);
}

/** Pictures a second of whatever `read` gives through training's steps, after the first ones. */
async function trainingRate(program, read, { network, batchSize, steps }) {
  async function* endless() {
    const how = { split: "train", views: "augmented", cropSize: network.input.size, seed: 1, shuffle: true };
    for (let epoch = 0; ; epoch++) yield* read({ ...how, batchSize, epoch });
  }
  const warmUp = 3;
  let [count, pictures, start] = [0, 0, 0];
  const train = ({ samples: _samples, release: _release, ...batch }) => program.step(batch, STEP);
  for await (const [{ samples, release }] of oneAhead(endless(), train)) {
    release();
    if (count++ < warmUp) start = performance.now();
    else pictures += samples.length;
    if (count === warmUp + steps) break;
  }
  return (1000 * pictures) / (performance.now() - start);
}

function describe({ batchSize, bringing, loading, computing, training, workers, holding, held }) {
  const rate = (value) => value.toFixed(0);
  const rows = [
    ["copying pinned memory to the device", rate(bringing)],
    ...loading.map((each) => [`loading alone, ${each.workers} threads`, rate(each.picturesPerSecond)]),
    ...(computing ? [["computing alone, pictures on the device", rate(computing)]] : []),
    ...(training ? [[`all together, ${workers} loading threads`, rate(training)]] : []),
    ...(held ? [["putting all pictures into the device's memory", rate(holding)]] : []),
    ...(held ? [["training on them there", rate(held)]] : []),
  ];
  const text = table([`batches of ${batchSize}`, "pictures/s"], rows);
  if (training === undefined) return text;
  const limits = { copying: bringing, loading: Math.max(...loading.map((each) => each.picturesPerSecond)), computing };
  const [limit, most] = Object.entries(limits).reduce((a, b) => (a[1] <= b[1] ? a : b));
  return `${text}\n\nThe limit is ${limit}: all together reach ${((100 * training) / most).toFixed(0)} % of it.`;
}
