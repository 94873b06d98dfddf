import { SingleBar } from "cli-progress";
import { withHints } from "../../errors.js";
import {
  type EpochDone,
  type Started,
  type StepDone,
  type TrainEvent,
  type TrainSummary,
  VALIDATING,
} from "../../runs/events.js";
import { errors } from "../../scoring/scores.js";
import type { ProgressEvent } from "../../task.js";
import { byteSize, clock, percent, thousands } from "../../text.js";
import { commandLineForm } from "./hints.js";
import { PreparingDisplay } from "./preparing.js";
import { Progress } from "./progress.js";

const SECONDS_BETWEEN_LINES = 10;

/** Shows a training run: a bar on a terminal, a line now and then otherwise; a line for each epoch. */
export class TrainingDisplay {
  readonly #print: (line: string) => void;
  readonly #preparing = new PreparingDisplay();
  #progress: Progress | undefined;
  #bar: SingleBar | undefined;
  #lastLine = Number.NEGATIVE_INFINITY;

  /** @param print takes the lines that stay; bars and step lines go to stderr */
  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  readonly update = (event: TrainEvent): void => {
    switch (event.kind) {
      case "preparing":
        this.#preparing.update(event);
        break;
      case "progress":
        this.#advance(event);
        break;
      case "started":
        this.stop();
        for (const line of describeStart(event)) this.#print(line);
        break;
      case "step":
        this.#step(event);
        break;
      case "epoch":
        this.stop();
        this.#print(describeEpoch(event));
        break;
      case "warning":
        this.stop();
        process.stderr.write(`warning: ${withHints(event.problem, event.hints, commandLineForm)}\n`);
        break;
      case "ended":
        this.stop();
        for (const line of describeEnd(event)) this.#print(line);
        break;
      case "checkpoint":
      case "row":
      case "layers":
        break;
    }
  };

  /** Takes the bar away. */
  stop(): void {
    this.#preparing.stop();
    this.#progress?.stop();
    this.#progress = undefined;
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #advance({ of, done, total }: ProgressEvent): void {
    if (of === VALIDATING) {
      this.#bar?.update({ text: `${of} ${percent(done / total)}` });
      return;
    }
    if (this.#progress?.label !== of) {
      this.#progress?.stop();
      this.#progress = new Progress(of);
    }
    this.#progress.update(done, total);
  }

  #step(event: StepDone): void {
    const text = `loss ${event.loss.toFixed(3)}  top-1 ${percent(event.top1)}  ${rate(event)}  ${clock(event.secondsLeft)} left`;
    if (process.stderr.isTTY) {
      this.#bar ??= startBar(event);
      this.#bar.update(event.batch, { text });
    } else if (performance.now() - this.#lastLine >= 1000 * SECONDS_BETWEEN_LINES) {
      this.#lastLine = performance.now();
      process.stderr.write(`epoch ${event.epoch}/${event.epochs}  step ${event.batch}/${event.batches}  ${text}\n`);
    }
  }
}

function startBar({ epoch, epochs, batches, batch }: StepDone): SingleBar {
  const format = `epoch ${epoch}/${epochs} [{bar}] {value}/{total}  {text}`;
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: null, barsize: 24 });
  bar.start(batches, batch, { text: "" });
  return bar;
}

function describeStart(started: Started): string[] {
  const { run, config, engine, resumedAt, parameters, memoryBytes, batches } = started;
  const { data, network, width, recipe } = config;
  return [
    `${data.source}: ${thousands(data.train)} training and ${thousands(data.val)} validation pictures of ${thousands(data.classes)} classes`,
    `network ${network.name}${width === 1 ? "" : ` at ${width} of its width`}: ${thousands(parameters)} parameters, ${byteSize(memoryBytes)} of memory`,
    ...describeFineTuning(started),
    `recipe ${recipe.name}: ${withHints(config.recipeReason, started.hints, commandLineForm)}`,
    `  ${recipe.epochs} epochs of ${thousands(batches)} batches of ${recipe.batchSize}, learning rate ${recipe.learningRate}`,
    `engine ${engine.library}, ${engine.instructionSet}, ${engine.threads} ${engine.threads === 1 ? "thread" : "threads"}`,
    ...(started.choice === undefined ? [] : [`  ${started.choice}`]),
    ...describeCapacity(started),
    resumedAt
      ? `going on with ${run} in epoch ${resumedAt.epoch}, after step ${thousands(resumedAt.step)}`
      : `run ${run}`,
  ];
}

function describeCapacity({ capacity, config: { data } }: Started): string[] {
  if (capacity === 0) return [];
  if (capacity >= data.train + data.val) return ["  all pictures are held in its memory"];
  return [`  pictures come to it for each step: its memory has room for ${thousands(capacity)}`];
}

/** What training starts from, and which layers learn less or more than others. */
function describeFineTuning({ config, features }: Started): string[] {
  const { base, recipe } = config;
  const lines: string[] = [];
  if (base !== null)
    lines.push(
      `from ${base.path}, ${base.head === "new" ? "with a new last layer" : "its last layer too: the classes are the same"}`,
    );
  const rates = Object.entries(recipe.layerRates);
  const frozen = rates.filter(([, rate]) => rate === 0).map(([layer]) => layer);
  if (frozen.length > 0) lines.push(`  frozen: ${frozen.join(", ")}`);
  const others = rates.filter(([, rate]) => rate !== 0).map(([layer, rate]) => `${layer} ${rate}x`);
  if (others.length > 0) lines.push(`  learning rate: ${others.join(", ")}`);
  if (features !== undefined) lines.push(`  their outputs are read from ${features}`);
  return lines;
}

function describeEpoch({ row, epochs, best }: EpochDone): string {
  const parts = [
    `epoch ${String(row.epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${row.loss.toFixed(3)}`,
    `top-1 ${percent(row.top1)}`,
  ];
  if (row.validation !== null) {
    const { top1, top5 } = errors(row.validation);
    parts.push(`validation: top-1 ${percent(1 - top1)} top-5 ${percent(1 - top5)}${best ? " *" : "  "}`);
  }
  parts.push(rate(row), clock(row.seconds));
  return parts.join("  ");
}

function describeEnd({ run, best, reason, seconds }: TrainSummary): string[] {
  const bestLine = best && `lowest error in epoch ${best.epoch}: top-1 ${percent(1 - best.error)}`;
  return [
    `ended after ${clock(seconds)}: ${reason}`,
    ...(bestLine === undefined ? [] : [bestLine]),
    `next: alexnet evaluate ${run} --views 10, or alexnet classify ${run} <pictures>`,
  ];
}

function rate({ imagesPerSecond, waiting }: { readonly imagesPerSecond: number; readonly waiting: number }): string {
  return `${imagesPerSecond.toFixed(imagesPerSecond < 10 ? 1 : 0)} img/s (${percent(waiting)} waiting)`;
}
