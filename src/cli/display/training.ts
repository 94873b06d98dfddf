import { withHints } from "../../errors.js";
import { describeRates } from "../../recipes/policy.js";
import type { ControlObeyed, EpochDone, Started, StepDone, TrainEvent, TrainSummary } from "../../runs/events.js";
import type { EpochRow } from "../../runs/metrics.js";
import { errors } from "../../scoring/scores.js";
import { byteSize, clock, counted, enumerate, percent, printable, thousands } from "../../text.js";
import { EventDisplay } from "./events.js";
import { commandLineForm, quoteForShell } from "./hints.js";
import { StatusLine } from "./status-line.js";

const LINE_SECONDS = 10; // between plain lines, where there is no terminal

/** Shows a training run: a bar on a terminal, a line now and then otherwise; a line for each epoch. */
export class TrainingDisplay {
  readonly #print: (line: string) => void;
  readonly #line = new StatusLine();
  readonly #events = new EventDisplay(this.#line);
  #lastLine = Number.NEGATIVE_INFINITY;
  /** Of five classes or fewer, all are among the first five. */
  #hasTop5 = true;
  #isValidated = true;

  /** @param print takes the lines that stay; bars and step lines go to standard error */
  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  readonly update = (event: TrainEvent): void => {
    switch (event.kind) {
      case "preparing":
      case "progress":
      case "warning":
        this.#events.update(event);
        break;
      case "step":
        this.#step(event);
        break;
      case "started":
        this.#hasTop5 = event.config.data.classes > 5;
        this.#isValidated = event.config.data.val > 0;
        this.#lines(describeStart(event));
        break;
      case "epoch":
        this.#lines(describeEpoch(event, this.#hasTop5));
        break;
      case "ended":
        this.#lines(describeEnd(event, this.#isValidated));
        break;
      case "control":
        this.#lines([describeControl(event)]);
        break;
      case "checkpoint":
      case "row":
      case "layers":
        break;
    }
  };

  /** Takes the bar away for good. */
  stop(): void {
    this.#line.end();
  }

  #lines(lines: readonly string[]): void {
    this.#line.clear();
    for (const line of lines) this.#print(line);
  }

  #step(event: StepDone): void {
    const { epoch, epochs, batch, batches } = event;
    const text = `loss ${event.loss.toFixed(3)}  top-1 ${percent(event.top1)}  ${rate(event)}  ${clock(event.secondsLeft)} left`;
    const of = `epoch ${epoch}/${epochs}`;
    this.#line.show({ key: of, format: `${of} [{bar}] {value}/{total}  {text}`, done: batch, total: batches, text });
    if (process.stderr.isTTY || performance.now() - this.#lastLine < 1000 * LINE_SECONDS) return;
    this.#lastLine = performance.now();
    this.#line.print(`${of}  step ${batch}/${batches}  ${text}`);
  }
}

function describeControl({ action, rateFactor }: ControlObeyed): string {
  const said = {
    pause: "paused by a person",
    resume: "going on",
    save: "saving, as a person asked",
    stop: "stopping, as a person asked",
    "lower-rate": `the learning rate was lowered by a person: from now on it is multiplied by ${rateFactor}`,
  } as const satisfies Record<ControlObeyed["action"], string>;
  return said[action];
}

function describeStart(started: Started): string[] {
  const { run, config, engine, resumedAt, parameters, memoryBytes, batches } = started;
  const { data, network, width, recipe } = config;
  return [
    `${data.source}: ${thousands(data.train)} training and ${counted(data.val, "validation picture")} of ${counted(data.classes, "class", "classes")}`,
    `  ${enumerate(started.classes.map(printable))}`,
    `network ${network.name}${width === 1 ? "" : ` at ${width} of its width`}: ${thousands(parameters)} parameters, ${byteSize(memoryBytes)} of memory`,
    ...describeFineTuning(started),
    `recipe ${recipe.name}: ${withHints(config.recipeReason, started.hints, commandLineForm)}`,
    `  ${counted(recipe.epochs, "epoch")} of ${counted(batches, "batch", "batches")} of ${recipe.batchSize}`,
    `  learning rate ${describeRates(recipe)}`,
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

/** A line of training, and one of validation, so that both fit into 80 columns. */
function describeEpoch({ row, epochs, best }: EpochDone, hasTop5: boolean): string[] {
  const parts = [
    `epoch ${String(row.epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${row.loss.toFixed(3)}`,
    `top-1 ${percent(row.top1)}`,
    rate(row),
    clock(row.seconds),
  ];
  return [parts.join("  "), ...describeValidation(row.validation, hasTop5, best)];
}

function describeValidation(scores: EpochRow["validation"], hasTop5: boolean, best: boolean): string[] {
  if (scores === null) return [];
  const { top1, top5 } = errors(scores);
  const { meanRecall, macroF1 } = scores;
  const parts = [
    "  validation",
    `top-1 ${percent(1 - top1)}`,
    ...(hasTop5 ? [`top-5 ${percent(1 - top5)}`] : []),
    ...(meanRecall === undefined ? [] : [`mean recall ${percent(meanRecall)}`]),
    ...(macroF1 === undefined ? [] : [`F1 ${percent(macroF1)}`]),
  ];
  return [`${parts.join("  ")}${best ? " *" : ""}`];
}

function describeEnd({ run, best, reason, seconds }: TrainSummary, isValidated: boolean): string[] {
  const [evaluate, classify] = ["evaluate", "classify"].map((command) => `alexnet ${command} ${quoteForShell(run)}`);
  const found = isValidated ? "lowest error" : "nothing was validated; lowest training error";
  return [
    `ended after ${clock(seconds)}: ${reason}`,
    ...(best === undefined ? [] : [`${found} in epoch ${best.epoch}: top-1 ${percent(1 - best.error)}`]),
    isValidated
      ? `next: ${evaluate} --views 10, or ${classify} <pictures>`
      : `next: ${evaluate} <labelled pictures it has not seen>, or ${classify} <pictures>`,
  ];
}

function rate({ imagesPerSecond, waiting }: { readonly imagesPerSecond: number; readonly waiting: number }): string {
  return `${imagesPerSecond.toFixed(imagesPerSecond < 10 ? 1 : 0)} img/s (${percent(waiting)} waiting)`;
}
