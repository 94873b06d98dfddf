import { availableParallelism } from "node:os";
import { measureLoading, withSyntheticStores } from "#src/benchmark/loading.js";
import { syntheticBatch } from "#src/benchmark/synthetic.js";
import { Device, openDriver } from "#src/engine/cuda/native/driver.js";
import type { Program } from "#src/engine/engine.js";
import { oneAhead } from "#src/evaluation/one-ahead.js";
import type { Network } from "#src/network/network.js";
import { DEFAULT_PICTURE_SIZE, pictureBytes } from "#src/network/picture.js";
import { classCount } from "#src/network/transform.js";
import { type LoadedBatch, type ReadBatches, batches as readBatches } from "#src/store/reading/batches.js";
import { heldBatches, holdPictures } from "#src/store/reading/held-pictures.js";
import { openStore, pictureCount, type Store } from "#src/store/store.js";
import { addressOf } from "#src/system/native/memory.js";
import { taskOf } from "#src/task.js";
import { markdownTable } from "../markdown.js";
import { compileTraining, networkOf, STEP, withCuda } from "./common.js";
import type { Keep, StageOptions } from "./stage.js";

/** Pictures a second. */
interface Rates {
  readonly batchSize: number;
  /** Copying pinned memory to the device. */
  readonly bringing: number;
  /** From the store, by the number of threads. */
  readonly loading: { readonly workers: number; readonly picturesPerSecond: number }[];
  /** Training steps with the pictures on the device. */
  computing?: number;
  /** Training as it is, with the number of threads that load fastest. */
  training?: { readonly workers: number; readonly picturesPerSecond: number };
  /** Putting all pictures into the device's memory, and training on them there, where there is room for them. */
  held?: { readonly holding: number; readonly training: number };
}

interface Work {
  readonly program: Program;
  readonly network: Network;
  readonly steps: number;
}

/**
 * How fast pictures get from a raw store in the page cache into training, and what limits it; and how fast training is
 * where the device holds them.
 */
export async function data(options: StageOptions, keep: Keep): Promise<void> {
  const { batches, steps, precision } = options;
  const network = networkOf(options);
  const batchSize = Math.max(...batches);
  const rates: Rates = { batchSize, bringing: bringingRate(batchSize), loading: [] };
  const report = (): void => keep({ data: rates, text: describe(rates) });
  report();
  const measure = async (store: Store): Promise<void> => {
    for (const workers of [1, 2, 4, 8].filter((count) => count <= availableParallelism())) {
      const { picturesPerSecond } = await measureLoading(store, { pictures: steps * batchSize, batchSize, workers });
      rates.loading.push({ workers, picturesPerSecond });
      report();
    }
    const best = Math.max(...rates.loading.map(({ picturesPerSecond }) => picturesPerSecond));
    const workers = rates.loading.find(({ picturesPerSecond }) => picturesPerSecond === best)?.workers ?? 1;
    await withCuda(precision, async (engine) => {
      const program = await compileTraining(engine, network, batchSize);
      const work: Work = { program, network, steps };
      const batch = syntheticBatch(batchSize, network.input.size, classCount(network));
      rates.computing = (1000 * batchSize) / (await program.profile(batch, STEP, steps)).milliseconds;
      report();
      const brought: ReadBatches = (how) => readBatches(store, { ...how, workers });
      rates.training = { workers, picturesPerSecond: await trainingRate(brought, work) };
      report();
      rates.held = await heldRates(store, workers, work);
      report();
    });
  };
  await withSyntheticStores(
    async ([raw = ""]) => {
      const store = await openStore(raw);
      await measure(store);
      await store.close();
    },
    {
      pictures: Math.max(512, 2 * batchSize), // batches are full
      encodings: ["raw"],
    },
  );
}

async function heldRates(store: Store, workers: number, work: Work): Promise<Rates["held"]> {
  const { program, network } = work;
  const total = pictureCount(store);
  const start = performance.now();
  const how = { program, store, cropSize: network.input.size, workers };
  if ((await holdPictures(how, taskOf({}))) < total) return undefined;
  const holding = (1000 * total) / (performance.now() - start);
  return { holding, training: await trainingRate((own) => heldBatches(store, own), work) };
}

/** Pinned memory to the device's, as an engine brings a batch. */
function bringingRate(batchSize: number): number {
  const pictures = new Uint8Array(new SharedArrayBuffer(batchSize * pictureBytes(DEFAULT_PICTURE_SIZE))).fill(1);
  const scene = { doing: "" };
  const device = new Device(openDriver(scene), scene);
  const [from, to] = [addressOf(pictures), device.allocate(pictures.length)];
  const pinned = device.pin(from, pictures.length);
  const bring = (): number => {
    const start = performance.now();
    device.copyIn(to.address, from, pictures.length, device.copyStream);
    device.wait(device.copyStream);
    return performance.now() - start;
  };
  bring();
  const times = Array.from({ length: 10 }, bring);
  pinned.close();
  to.close();
  device.close();
  return (1000 * batchSize) / Math.min(...times);
}

/** Of whatever `read` gives through training's steps, after the first ones. */
async function trainingRate(read: ReadBatches, { program, network, steps }: Work): Promise<number> {
  const { batchSize } = program;
  const how = { split: "train", views: "augmented", cropSize: network.input.size, seed: 1, shuffle: true } as const;
  async function* endless(): AsyncGenerator<LoadedBatch> {
    for (let epoch = 0; ; epoch++) yield* read({ ...how, batchSize, epoch });
  }
  const warmUp = 3;
  let [count, pictures, start] = [0, 0, 0];
  for await (const [{ samples, release }] of oneAhead(endless(), (batch) => program.step(asSent(batch), STEP))) {
    release();
    if (count++ < warmUp) start = performance.now();
    else pictures += samples.length;
    if (count === warmUp + steps) break;
  }
  return (1000 * pictures) / (performance.now() - start);
}

/** A batch without what only its reader needs, which can't cross to the compute thread. */
function asSent({
  samples: _samples,
  release: _release,
  ...batch
}: LoadedBatch): Omit<LoadedBatch, "samples" | "release"> {
  return batch;
}

function describe({ batchSize, bringing, loading, computing, training, held }: Rates): string {
  const row = (what: string, rate: number | undefined): string[][] =>
    rate === undefined ? [] : [[what, rate.toFixed(0)]];
  const rows = [
    ...row("copying pinned memory to the device", bringing),
    ...loading.flatMap((each) => row(`loading alone, ${each.workers} threads`, each.picturesPerSecond)),
    ...row("computing alone, pictures on the device", computing),
    ...row(`all together, ${training?.workers} loading threads`, training?.picturesPerSecond),
    ...row("putting all pictures into the device's memory", held?.holding),
    ...row("training on them there", held?.training),
  ];
  const text = markdownTable([`batches of ${batchSize}`, "pictures/s"], rows);
  if (training === undefined || computing === undefined) return text;
  const limits = { copying: bringing, loading: Math.max(...loading.map((each) => each.picturesPerSecond)), computing };
  const [limit, most] = Object.entries(limits).reduce((a, b) => (a[1] <= b[1] ? a : b));
  const share = (100 * training.picturesPerSecond) / most;
  return `${text}\n\nThe limit is ${limit}: all together reach ${share.toFixed(0)} % of it.`;
}
