import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sharp } from "../images/sharp.js";
import { DEFAULT_PICTURE_SIZE } from "../network/picture.js";
import { mix } from "../random.js";
import { prepare } from "../store/preparing/prepare.js";
import { batches } from "../store/reading/batches.js";
import type { Encoding, Store } from "../store/store.js";

export interface LoadingOptions {
  readonly pictures: number;
  readonly batchSize: number;
  readonly workers: number;
}

export interface Loading {
  readonly encoding: Encoding;
  readonly picturesPerSecond: number;
  /** As stored, the mean of a few. */
  readonly bytesPerPicture: number;
  /** Of the process's own memory between the first tenth and the end; pages of the file don't count. */
  readonly memoryGrowthBytes: number;
}

/** How fast shuffled, augmented batches come from a store when nobody computes. */
export async function measureLoading(store: Store, options: LoadingOptions): Promise<Loading> {
  const { pictures, batchSize, workers } = options;
  let read = 0;
  let memory: number | undefined;
  let start = performance.now();
  for (let epoch = 0; read < pictures; epoch++) {
    const all = { split: "train", views: "augmented", cropSize: 227, seed: 1, shuffle: true } as const;
    for await (const batch of batches(store, { ...all, batchSize, workers, epoch })) {
      if (read === 0) start = performance.now(); // threads have started, the first batch is there
      read += batch.samples.length;
      batch.release();
      if (read >= pictures / 10) memory ??= ownMemory();
      if (read >= pictures) break;
    }
  }
  const seconds = (performance.now() - start) / 1000;
  return {
    encoding: store.info.encoding,
    picturesPerSecond: (read - batchSize) / seconds,
    bytesPerPicture: meanSize(store),
    memoryGrowthBytes: ownMemory() - (memory ?? ownMemory()),
  };
}

const SAMPLED = 50;

function meanSize(store: Store): number {
  const count = Math.min(SAMPLED, store.count("train"));
  let bytes = 0;
  for (let i = 0; i < count; i++) bytes += store.encoded("train", i).length;
  return bytes / count;
}

/** Without the file's pages, which the system lends and takes back: they would count in the resident set. */
function ownMemory(): number {
  if (process.platform !== "linux") return process.memoryUsage().rss;
  const [, kilobytes] = /RssAnon:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return kilobytes === undefined ? process.memoryUsage().rss : Number(kilobytes) * 1024;
}

export interface SyntheticStores {
  /** In each. Default 512. */
  readonly pictures?: number;
  /** One store of each. Default raw and jpeg. */
  readonly encodings?: readonly Encoding[];
}

/** Stores of the same noisy pictures that are gone afterwards. */
export async function withSyntheticStores<T>(
  use: (paths: readonly string[]) => Promise<T>,
  { pictures = 512, encodings = ["raw", "jpeg"] }: SyntheticStores = {},
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "alexnet-bench-"));
  try {
    const source = join(folder, "pictures");
    mkdirSync(join(source, "noise"), { recursive: true });
    for (let i = 0; i < pictures; i++) writeFileSync(join(source, "noise", `${i}.png`), await drawNoise(i));
    const paths: string[] = [];
    for (const encoding of encodings) {
      const { path } = await prepare({ source, out: join(folder, encoding), encoding, valFraction: 0 });
      paths.push(path);
    }
    return await use(paths);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Coarse noise enlarged, with a little fine noise: as a JPEG about as large as a photo. */
async function drawNoise(seed: number): Promise<Buffer> {
  const coarse = 32;
  const blurred = await sharp(noise(coarse, seed, 256), { raw: { width: coarse, height: coarse, channels: 3 } })
    .resize(DEFAULT_PICTURE_SIZE, DEFAULT_PICTURE_SIZE)
    .raw()
    .toBuffer();
  const fine = noise(DEFAULT_PICTURE_SIZE, seed + 1, 5);
  const pixels = fine.map((value, i) => Math.min(255, (blurred[i] ?? 0) + value));
  return sharp(pixels, { raw: { width: DEFAULT_PICTURE_SIZE, height: DEFAULT_PICTURE_SIZE, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

function noise(size: number, seed: number, range: number): Uint8Array {
  return Uint8Array.from({ length: size * size * 3 }, (_, i) => mix(i ^ Math.imul(seed, 0x9e3779b1)) % range);
}
