import { join } from "node:path";
import { AlexnetError } from "../../errors.js";
import { type Split, splits } from "../../network/picture.js";
import type { Task } from "../../task.js";
import { addSums, noSums, type Sums, summarise } from "../colour.js";
import {
  chainRecord,
  type DatabaseFile,
  encodeRecord,
  FORMAT,
  FORMAT_VERSION,
  hashContent,
  hashStatistics,
  inPreparation,
  keys,
  toBytes,
  toJson,
} from "../database.js";
import type { PictureSums } from "../picture-sums.js";
import type { Fault } from "../sources/source.js";
import type { StoreInfo } from "../store.js";
import { findDuplicates } from "./duplicates.js";
import { dropListing, type ListedPicture } from "./listing.js";
import { SKIPPED_LIST } from "./lists.js";
import { type Job, type Progress, readProgress, readSums } from "./unfinished.js";
import type { Encoded } from "./worker.js";

export interface DecodedPicture extends Encoded {
  readonly picture: ListedPicture;
}

/** Consecutive pictures of the list with what became of them. */
export interface DecodedGroup {
  /** Those left out are undefined. */
  readonly outcomes: readonly (DecodedPicture | Fault | undefined)[];
  /** Over the training pictures among them. */
  readonly sums: PictureSums;
  /** Where the encoded pictures and the sums lie. */
  readonly memory: ArrayBuffer;
}

/** A store while it is being written. Killed at any instant, it goes on from its last transaction. */
export class StoreWriter {
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

  static begin(file: DatabaseFile, job: Job): StoreWriter {
    const { database } = file;
    const sums = noSums(job.request.pictureSize);
    const products = sums.products.map(String);
    const progress = { next: 0, counts: { train: 0, val: 0 }, skipped: 0, chains: { train: "", val: "" }, products };
    database.transactionSync(() => {
      database.putSync(keys.job, toJson(job));
      database.putSync(keys.progress, toJson(progress));
      database.putSync(keys.pixelSums, toBytes(sums.pixels));
    });
    return new StoreWriter(file, job, progress, sums);
  }

  /** Goes on with an unfinished store. @throws AlexnetError "damaged-file" when what it says of itself is not whole. */
  static resume(file: DatabaseFile, job: Job): StoreWriter {
    const { database, path } = file;
    const progress = readProgress(database, path);
    return new StoreWriter(file, job, progress, readSums(database, path, progress, job.request.pictureSize));
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

  /** Writes the next pictures of the list, in order, in one transaction. */
  commit(groups: readonly DecodedGroup[]): void {
    const { database } = this.file;
    database.transactionSync(() => {
      if (readProgress(database, this.file.path).next !== this.next) throw inPreparation(this.file.path);
      for (const group of groups) {
        this.#add(group);
        this.file.releaseMemory();
      }
      database.putSync(keys.progress, toJson(this.#progress));
      database.putSync(keys.pixelSums, toBytes(this.#sums.pixels));
    });
  }

  #add({ outcomes, sums }: DecodedGroup): void {
    const { database } = this.file;
    let { skipped } = this.#progress;
    const chains = { ...this.#progress.chains };
    const counts = { ...this.counts };
    for (const one of outcomes) {
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
    const next = this.next + outcomes.length;
    this.#progress = { next, counts, skipped, chains, products: this.#sums.products.map(String) };
  }

  /** Makes it a whole store, in one transaction. */
  async finish(task: Pick<Task, "signal">): Promise<StoreInfo> {
    const { file, job, counts } = this;
    if (counts.train === 0)
      throw new AlexnetError(
        "unusable-data",
        `${job.request.path}: no readable picture to train on; ${join(file.path, SKIPPED_LIST)} says why`,
      );
    const { labels, duplicates } = await findDuplicates(file, counts, job.plan.classes, task);
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
      source: {
        kind: request.kind,
        path: request.path,
        fingerprint: plan.fingerprint,
        columns: request.columns,
        part: request.part,
      },
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
    await dropListing(file, plan);
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
