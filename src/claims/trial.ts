import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { drawPictures } from "../demo/pictures.js";
import { engineNames } from "../engine/host/engines.js";
import { AlexnetError } from "../errors.js";
import { type EvaluateEvent, evaluate } from "../evaluation/evaluate.js";
import { parseOptions, path, taskShape, wholeNumber, withoutUndefined } from "../options.js";
import type { TrainEvent } from "../runs/events.js";
import { RunFolder } from "../runs/folder.js";
import { type EpochRow, readMetrics } from "../runs/metrics.js";
import { isCorrect } from "../scoring/prediction.js";
import { errors } from "../scoring/scores.js";
import { findOrMakeTrainable } from "../store/cache.js";
import type { PreparingEvent } from "../store/preparing/options.js";
import { openStore } from "../store/store.js";
import { writeWhole } from "../system/files.js";
import { type FindingEvent, type Task, type TaskOptions, taskOf, throwIfStopped } from "../task.js";
import { resume, train } from "../training/train.js";
import type { Arm, Claim } from "./claim.js";
import { claimByName } from "./claims.js";
import { CLAIM_PICTURE_SIZE } from "./ingredients.js";
import { type ArmRun, type CurvePoint, measured } from "./measure.js";
import { claimFigure, claimPage } from "./page.js";
import type { ClaimResult } from "./result.js";
import { decide } from "./verdict.js";

export type ClaimEvent = PreparingEvent | FindingEvent;

export interface ClaimOptions extends TaskOptions<ClaimEvent> {
  /** A name of `claims`. */
  readonly claim: string;
  /** A folder of pictures, an archive, or a store of 32x32 pictures. Without any, the drawn set serves. */
  readonly data?: string;
  /** Folder of the claims' folders. Default "claims". */
  readonly out?: string;
  /** Runs of each arm. Default 3. */
  readonly seeds?: number;
  /** Times through the pictures, of each run. Default 10. */
  readonly epochs?: number;
  readonly engine?: "auto" | (typeof engineNames)[number];
  readonly threads?: number;
}

const claimOptions = z.object({
  claim: z.string(),
  data: path().optional(),
  out: path().optional(),
  seeds: wholeNumber(1).optional(),
  epochs: wholeNumber(1).optional(),
  engine: z.enum(["auto", ...engineNames]).optional(),
  threads: wholeNumber(1).optional(),
  ...taskShape<ClaimEvent>(),
});

export const CLAIM_DEFAULTS = { out: "claims", seeds: 3, epochs: 10 } as const;

/**
 * Tries a claim of the paper: trains each arm as often as there are seeds, compares, and writes `result.json`,
 * `figure.svg` and `index.html` into the claim's folder. What was trained before with the same settings is not trained
 * again, and a run that was stopped goes on.
 * @throws AlexnetError "invalid-option", "interrupted", and as `train` and `evaluate`
 *
 * @example
 * const { verdict, effect, low, high } = await tryClaim({ claim: "relu", data: "cifar10", seeds: 3 });
 */
export async function tryClaim(options: ClaimOptions): Promise<ClaimResult> {
  const given = parseOptions(claimOptions, options, "tryClaim");
  const claim = claimByName(given.claim);
  const { out, seeds, epochs } = { ...CLAIM_DEFAULTS, ...withoutUndefined(given) };
  const task = taskOf(options);
  const data = given.data ?? (await drawnPictures(out, task));
  const store = await findOrMakeTrainable(data, { size: CLAIM_PICTURE_SIZE }, task);
  const { hash, ...pictures } = await describe(store, data);
  const folder = join(out, claim.name);
  return new Trial(claim, { ...given, folder, store, storeHash: hash, epochs, task }).carryOut(seeds, pictures);
}

interface Settings extends Pick<ClaimOptions, "engine" | "threads"> {
  readonly folder: string;
  readonly store: string;
  readonly storeHash: string;
  readonly epochs: number;
  readonly task: Task<ClaimEvent>;
}

/** The share of the epochs that a rate is tried for. */
export const SEARCH_SHARE = 1 / 4;
/** No run's own: rates are chosen on draws that decide nothing else. */
const SEARCH_SEED = 0;

class Trial {
  readonly #claim: Claim;
  readonly #settings: Settings;
  #seconds = 0;

  constructor(claim: Claim, settings: Settings) {
    this.#claim = claim;
    this.#settings = settings;
  }

  async carryOut(seeds: number, data: ClaimResult["data"]): Promise<ClaimResult> {
    const { arms, measure, least, name } = this.#claim;
    const tried: { readonly arm: Arm; readonly chosen: ChosenRate; readonly runs: ArmRun[] }[] = [];
    for (const arm of arms) {
      const trainer = arms.find((candidate) => candidate.name === arm.trainedAs) ?? arm;
      const chosen = await this.#chooseRate(trainer);
      const runs: ArmRun[] = [];
      for (let seed = 1; seed <= seeds; seed++) runs.push(await this.#run(arm, trainer, chosen.learningRate, seed));
      tried.push({ arm, chosen, runs });
    }
    const taken = measured(
      measure,
      tried.flatMap(({ runs }) => runs),
    );
    const [treatment, control] = tried;
    const differences = (treatment?.runs ?? []).flatMap((run, i) => {
      const other = control?.runs[i];
      return other === undefined ? [] : [taken.difference(run, other)];
    });
    const { verdict, ...numbers } = decide(differences, least);
    const result: ClaimResult = {
      version: 1,
      claim: name,
      verdict: taken.isConclusive ? verdict : "can't tell",
      effect: finite(numbers.effect),
      low: finite(numbers.low),
      high: finite(numbers.high),
      ...(taken.target !== undefined && { target: taken.target }),
      arms: tried.map(({ arm, chosen, runs }) => ({
        name: arm.name,
        network: arm.network.name,
        ...chosen,
        runs: runs.map((run) => ({ seed: run.seed, value: finite(taken.value(run)), curve: [...run.curve] })),
      })),
      data,
      epochs: this.#settings.epochs,
      seeds,
      seconds: this.#seconds,
      machine: {
        processor: cpus()[0]?.model.trim() ?? "unknown",
        threads: this.#settings.threads ?? availableParallelism(),
      },
    };
    this.#write(result);
    return result;
  }

  #write(result: ClaimResult): void {
    const { folder } = this.#settings;
    const figure = claimFigure(this.#claim, result);
    writeWhole(join(folder, "figure.svg"), figure);
    writeWhole(join(folder, "index.html"), claimPage(this.#claim, result, figure));
    writeWhole(join(folder, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
  }

  /** The rate at which a short run comes furthest; the recipe's where the claim has no search. */
  async #chooseRate(arm: Arm): Promise<ChosenRate> {
    const { rates, measure } = this.#claim;
    if (rates === undefined) return { learningRate: arm.recipe.learningRate, search: [] };
    const epochs = Math.max(1, Math.ceil(SEARCH_SHARE * this.#settings.epochs));
    const search: { learningRate: number; score: number | null }[] = [];
    for (const learningRate of rates) {
      const curve = await this.#train(arm, { learningRate, epochs, seed: SEARCH_SEED });
      const last = curve?.at(-1);
      const score = measure.kind === "validation-error" ? last?.validationError : last?.trainingLoss;
      search.push({ learningRate, score: finite(score ?? Number.NaN) });
    }
    const best = search.reduce((a, b) => ((b.score ?? Infinity) < (a.score ?? Infinity) ? b : a));
    return { learningRate: best.learningRate, search };
  }

  async #run(arm: Arm, trainer: Arm, learningRate: number, seed: number): Promise<ArmRun> {
    const choice = { learningRate, epochs: this.#settings.epochs, seed };
    const curve = await this.#train(trainer, choice);
    if (curve === undefined)
      throw new AlexnetError(
        "not-finite",
        `${this.#claim.name}: ${arm.name} overflows at its best rate, ${learningRate}`,
      );
    const wrong = this.#claim.measure.kind === "validation-error" ? await this.#evaluate(arm, trainer, choice) : [];
    return { seed, curve, wrong };
  }

  /** By `train`, or as far as it is still to go. @returns undefined where numbers overflowed */
  async #train(arm: Arm, { learningRate, epochs, seed }: Choice): Promise<readonly CurvePoint[] | undefined> {
    const { store, task, engine, threads } = this.#settings;
    const folder = this.#runFolder(arm, { learningRate, epochs, seed });
    throwIfStopped(task, `trying ${this.#claim.name}`);
    const title = `${this.#claim.name}: ${arm.name}, rate ${learningRate}, seed ${seed}`;
    const common = { engine, threads, signal: task.signal, onEvent: (event: TrainEvent) => tell(event, title, task) };
    try {
      if (!folder.exists) {
        const recipe = { ...arm.recipe, learningRate, epochs };
        await train({ ...common, data: store, run: folder.path, network: arm.network, recipe, seed, keep: 1 });
      } else if (epochsOf(folder).length < epochs) await resume({ ...common, run: folder.path });
    } catch (error) {
      if (!(error instanceof AlexnetError)) throw error;
      if (error.code === "not-finite") return undefined;
      if (error.code !== "interrupted") throw error;
      const what = `trying ${this.#claim.name}: stopped; what is trained is kept, and the same again goes on from there`;
      throw new AlexnetError("interrupted", what, { cause: error.cause });
    }
    const epochRows = epochsOf(folder);
    this.#seconds += epochRows.reduce((sum, { seconds }) => sum + seconds, 0);
    return curveOf(epochRows);
  }

  /** 1 for each validation picture that is taken for another class, by the parameters after the last epoch. */
  async #evaluate(arm: Arm, trainer: Arm, choice: Choice): Promise<readonly number[]> {
    const { task, engine, threads } = this.#settings;
    const wrong: number[] = [];
    const started = performance.now();
    await evaluate({
      run: this.#runFolder(trainer, choice).path,
      checkpoint: "last",
      split: "val",
      views: arm.views ?? 1,
      ...(engine !== undefined && { engine }),
      ...(threads !== undefined && { threads }),
      signal: task.signal,
      onEvent: (event: EvaluateEvent) => {
        if (event.kind === "prediction") wrong[event.sample] = isCorrect(event) ? 0 : 1;
        else if (event.kind === "warning") task.report(event);
      },
    });
    this.#seconds += (performance.now() - started) / 1000;
    return wrong;
  }

  /** Named by all that decides what is learnt there. */
  #runFolder({ name, network, recipe }: Arm, { learningRate, epochs, seed }: Choice): RunFolder {
    const all = JSON.stringify([network, recipe, epochs, this.#settings.storeHash]);
    const digest = createHash("sha256").update(all).digest("hex").slice(0, 8);
    const title = `${name.replaceAll(" ", "-")}-rate-${learningRate}-seed-${seed}-${digest}`;
    return new RunFolder(join(this.#settings.folder, "runs", title));
  }
}

interface Choice {
  readonly learningRate: number;
  readonly epochs: number;
  readonly seed: number;
}

interface ChosenRate {
  readonly learningRate: number;
  readonly search: { learningRate: number; score: number | null }[];
}

/** How far a run is; what else there is to say of it, such as that a rate is too high, is in its folder. */
function tell(event: TrainEvent, title: string, task: Task<ClaimEvent>): void {
  if (event.kind === "step")
    task.report({ kind: "progress", of: title, done: event.step, total: event.epochs * event.batches });
}

function epochsOf(folder: RunFolder): readonly EpochRow[] {
  return readMetrics(folder.file("metrics.jsonl")).filter((row) => row.kind === "epoch");
}

function curveOf(rows: readonly EpochRow[]): readonly CurvePoint[] {
  return rows.map(({ epoch, loss, top1, validation }) => ({
    epoch,
    trainingLoss: loss,
    trainingError: 1 - top1,
    validationError: validation === null ? null : errors(validation).top1,
  }));
}

/** @throws AlexnetError "unusable-data" for pictures of another size, or where none are kept for validation */
async function describe(path: string, source: string): Promise<ClaimResult["data"] & { readonly hash: string }> {
  const store = await openStore(path);
  try {
    const { pictureSize } = store.info;
    if (pictureSize !== CLAIM_PICTURE_SIZE)
      throw new AlexnetError(
        "unusable-data",
        `${source}: has pictures of ${pictureSize}x${pictureSize}, and claims are tried on ${CLAIM_PICTURE_SIZE}x${CLAIM_PICTURE_SIZE}; give the folder that it was prepared from`,
      );
    if (store.count("val") === 0)
      throw new AlexnetError("unusable-data", `${source}: has no validation pictures to compare on`);
    const counts = { classes: store.classes.length, train: store.count("train"), val: store.count("val") };
    return { source: resolve(source), ...counts, hash: store.contentHash };
  } finally {
    await store.close();
  }
}

const DRAWN = { train: 200, val: 50, seed: 1 } as const; // of each class

async function drawnPictures(out: string, task: Task<ClaimEvent>): Promise<string> {
  const folder = join(out, "pictures");
  if (!existsSync(folder)) await drawPictures(folder, DRAWN, { signal: task.signal, onEvent: task.report });
  return folder;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
