import { join } from "node:path";
import { AlexnetError } from "../../errors.js";
import type { JpegDecoder } from "../../images/decode/decode.js";
import { type Split, splits } from "../../network/picture.js";
import { addSums, noSums, type Sums, summarise } from "../colour.js";
import {
  chainRecord,
  type Database,
  type DatabaseFile,
  encodeRecord,
  FORMAT,
  FORMAT_VERSION,
  fromJson,
  hashContent,
  hashStatistics,
  inPreparation,
  keys,
  toBytes,
  toFloat64,
  toJson,
} from "../database.js";
import type { Encoding } from "../encode.js";
import type { PictureSums } from "../picture-sums.js";
import type { Fault } from "../sources/source.js";
import type { StoreInfo } from "../store.js";
import { findDuplicates } from "./duplicates.js";
import { dropPlan, type Plan, type PlannedPicture } from "./listing.js";
import { SKIPPED_LIST } from "./lists.js";
import type { Encoded } from "./worker.js";

/** What was asked for; an interrupted preparation goes on only with the same. */
export interface Request {
  readonly kind: string;
  readonly path: string;
  readonly pictureSize: number;
  readonly seed: number;
  readonly valFraction: number;
  readonly allowMissingClasses: boolean;
  readonly allowSvg: boolean;
}

/** What is being done, decided once. */
export interface Job {
  readonly request: Request;
  readonly encoding: Encoding;
  readonly jpegDecoder: JpegDecoder;
  /** With versions: another one would go on with pictures that differ a little. */
  readonly decoder: string;
  readonly plan: Plan;
}

/** How far it is: written in one transaction with the pictures it counts. */
interface Progress {
  /** Planned pictures dealt with. */
  readonly next: number;
  readonly counts: Readonly<Record<Split, number>>;
  readonly skipped: number;
  /** Per split, `chainRecord` over its records so far. */
  readonly chains: Readonly<Record<Split, string>>;
  /** `Sums.products`, as decimal text. */
  readonly products: readonly string[];
}

export interface Stored extends Encoded {
  readonly picture: PlannedPicture;
}

/** Consecutive pictures of the plan with what became of them. */
export interface DealtGroup {
  /** Those left out are undefined. */
  readonly dealt: readonly (Stored | Fault | undefined)[];
  /** Over the training pictures among them. */
  readonly sums: PictureSums;
  /** Where the encoded pictures and the sums lie. */
  readonly memory: ArrayBuffer;
}

export function readJob(database: Database): Job | undefined {
  const bytes = database.getBinary(keys.job);
  return bytes === undefined ? undefined : (fromJson(bytes) as Job);
}

/** A store while it is being written. Killed at any instant, it goes on from its last transaction. */
export class Preparation {
  #progress: Progress;
  #sums: Sums;

  private constructor(
    readonly file: DatabaseFile,
    readonly job: Job,
    progress: Progress,
    sums: Sums,
  ) {
    this.#progress = progress;
    this.#sums = sums;
  }

  static begin(file: DatabaseFile, job: Job): Preparation {
    const { database } = file;
    const sums = noSums(job.request.pictureSize);
    const products = sums.products.map(String);
    const progress = { next: 0, counts: { train: 0, val: 0 }, skipped: 0, chains: { train: "", val: "" }, products };
    database.transactionSync(() => {
      database.putSync(keys.job, toJson(job));
      database.putSync(keys.progress, toJson(progress));
      database.putSync(keys.pixelSums, toBytes(sums.pixels));
    });
    return new Preparation(file, job, progress, sums);
  }

  /** @throws AlexnetError "data" when what the store says of its own progress is incomplete. */
  static goOn(file: DatabaseFile, job: Job): Preparation {
    const { database } = file;
    const progress = readProgress(database);
    const pixels = database.getBinary(keys.pixelSums);
    if (progress === undefined || pixels === undefined)
      throw new AlexnetError(
        "damaged-file",
        `${file.path}: the unfinished store is damaged; remove it and prepare again`,
      );
    const products = progress.products.map(BigInt);
    return new Preparation(file, job, progress, { pixels: toFloat64(pixels), products });
  }

  get next(): number {
    return this.#progress.next;
  }

  get counts(): Readonly<Record<Split, number>> {
    return this.#progress.counts;
  }

  get skipped(): number {
    return this.#progress.skipped;
  }

  /** Writes the next pictures of the plan, in order, in one transaction. */
  commit(groups: readonly DealtGroup[]): void {
    const { database } = this.file;
    database.transactionSync(() => {
      if (readProgress(database)?.next !== this.next) throw inPreparation(this.file.path);
      for (const group of groups) {
        this.#add(group);
        this.file.releaseMemory();
      }
      database.putSync(keys.progress, toJson(this.#progress));
      database.putSync(keys.pixelSums, toBytes(this.#sums.pixels));
    });
  }

  #add({ dealt, sums }: DealtGroup): void {
    const { database } = this.file;
    let { skipped } = this.#progress;
    const chains = { ...this.#progress.chains };
    const counts = { ...this.counts };
    for (const one of dealt) {
      if (one === undefined) continue;
      if ("reason" in one) {
        database.putSync(keys.skipped(skipped++), toJson(one));
        continue;
      }
      const { encoded, hash } = one;
      const { name, label, split } = one.picture;
      const record = encodeRecord({ hash, label, name });
      const index = counts[split]++;
      database.putSync(keys.picture(split, index), encoded);
      database.putSync(keys.record(split, index), record);
      chains[split] = chainRecord(chains[split], record);
    }
    this.#sums = addSums(this.#sums, sums);
    const next = this.next + dealt.length;
    this.#progress = { next, counts, skipped, chains, products: this.#sums.products.map(String) };
  }

  /** Makes it a whole store, in one transaction. */
  async finish(): Promise<StoreInfo> {
    const { file, job, counts } = this;
    if (counts.train === 0)
      throw new AlexnetError(
        "unusable-data",
        `${job.request.path}: no readable picture to train on; ${join(file.path, SKIPPED_LIST)} says why`,
      );
    const { labels, duplicates } = await findDuplicates(file, counts, job.plan.classes);
    const { mean, covariance } = summarise(this.#sums, counts.train);
    const { request, plan } = job;
    const classBytes = toJson(plan.classes);
    const meanBytes = toBytes(mean);
    const covarianceBytes = toBytes(Float64Array.from(covariance.flat()));
    const info: StoreInfo = {
      format: FORMAT,
      version: FORMAT_VERSION,
      encoding: job.encoding,
      pictureSize: request.pictureSize,
      decoder: job.decoder,
      counts,
      titles: plan.titles,
      source: { kind: request.kind, path: request.path, fingerprint: plan.fingerprint },
      seed: request.seed,
      valFraction: request.valFraction,
      allowMissingClasses: request.allowMissingClasses,
      allowSvg: request.allowSvg,
      skipped: this.skipped,
      leftOut: plan.leftOut,
      partial: plan.partial,
      notes: plan.notes,
      duplicates,
      contentHash: hashContent(this.#progress.chains),
      statisticsHash: hashStatistics(classBytes, meanBytes, covarianceBytes),
    };
    await dropPlan(file, plan);
    const { database } = file;
    database.transactionSync(() => {
      database.putSync(keys.classes, classBytes);
      database.putSync(keys.mean, meanBytes);
      database.putSync(keys.covariance, covarianceBytes);
      for (const split of splits) database.putSync(keys.labels(split), toBytes(labels[split]));
      for (const key of [...database.getKeys({ start: "work/", end: "work0" })]) database.removeSync(key);
      database.putSync(keys.info, toJson(info));
    });
    return info;
  }
}

function readProgress(database: Database): Progress | undefined {
  const bytes = database.getBinary(keys.progress);
  return bytes === undefined ? undefined : (fromJson(bytes) as Progress);
}
