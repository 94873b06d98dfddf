import { withHints } from "../../errors.js";
import { describeRates } from "../../recipes/policy.js";
import type {
  ControlObeyed,
  EpochDone,
  Started,
  Starting,
  StepDone,
  TrainEvent,
  TrainSummary,
} from "../../runs/events.js";
import type { EpochRow } from "../../runs/metrics.js";
import { errors } from "../../scoring/scores.js";
import { byteSize, clock, counted, enumerate, percent, printable, thousands } from "../../text.js";
import { EventDisplay } from "./events.js";
import { commandLineForm, quoteForShell } from "./hints.js";
import { columnsOf, wrapLine } from "./layout.js";
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
      case "starting":
        this.#hasTop5 = event.config.data.classes > 5;
        this.#isValidated = event.config.data.val > 0;
        this.#lines(describeStart(event));
        this.#compiling();
        break;
      case "started":
        this.#lines(describeMemory(event));
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

  /** A line of somebody else's, between those of the run. */
  print(line: string): void {
    this.#lines([line]);
  }

  /** Takes the bar away for good. */
  stop(): void {
    this.#line.end();
  }

  #lines(lines: readonly string[]): void {
    this.#line.clear();
    for (const line of lines) this.#print(wrapLine(line, columnsOf(process.stdout)));
  }

  /** It takes half a minute where algorithms are measured for the first time. */
  #compiling(): void {
    const text = ["compiling the network; the first time it measures what is quickest here"];
    this.#line.show({ key: "compiling", format: "{text}", done: 0, total: 1, text });
    if (!process.stderr.isTTY) this.#line.print("compiling the network");
  }

  #step(event: StepDone): void {
    const { epoch, epochs, batch, batches } = event;
    const left = `${clock(event.secondsLeft)} left`;
    const loss = `loss ${event.loss.toFixed(3)}`;
    const top1 = `top-1 ${percent(event.top1)}`;
    const of = `epoch ${epoch}/${epochs}`;
    const text = [left, loss, speed(event), top1, waiting(event)];
    this.#line.show({ key: of, format: `${of} [{bar}] {value}/{total}  {text}`, done: batch, total: batches, text });
    if (process.stderr.isTTY || performance.now() - this.#lastLine < 1000 * LINE_SECONDS) return;
    this.#lastLine = performance.now();
    this.#line.print([of, `step ${batch}/${batches}`, loss, top1, rate(event), left].join("  "));
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

function describeStart(starting: Starting): string[] {
  const { run, config, engine, resumedAt, parameters, batches } = starting;
  const { data, network, width, recipe } = config;
  return [
    `${data.source}: ${thousands(data.train)} training and ${counted(data.val, "validation picture")} of ${counted(data.classes, "class", "classes")}`,
    `  ${enumerate(starting.classes.map(printable))}`,
    `network ${network.name}${width === 1 ? "" : ` at ${width} of its width`}: ${thousands(parameters)} parameters`,
    ...describeFineTuning(config),
    `recipe ${recipe.name}: ${withHints(config.recipeReason, starting.hints, commandLineForm)}`,
    `  ${counted(recipe.epochs, "epoch")} of ${counted(batches, "batch", "batches")} of ${recipe.batchSize}`,
    `  learning rate ${describeRates(recipe)}`,
    `engine ${engine.library}, ${engine.instructionSet}, ${engine.threads} ${engine.threads === 1 ? "thread" : "threads"}`,
    ...(starting.choice === undefined ? [] : [`  ${starting.choice}`]),
    resumedAt
      ? `going on with ${run} in epoch ${resumedAt.epoch}, after step ${thousands(resumedAt.step)}`
      : `run ${run}`,
  ];
}

/** What is known once the network is compiled. */
function describeMemory({ memoryBytes, features, capacity, config: { data } }: Started): string[] {
  const lines = [`compiled; training holds ${byteSize(memoryBytes)} of memory`];
  if (features !== undefined) lines.push(`  the frozen layers' outputs are read from ${features}`);
  if (capacity >= data.train + data.val) lines.push("  all pictures are held in the engine's memory");
  else if (capacity > 0)
    lines.push(`  pictures come to the engine for each step: its memory has room for ${thousands(capacity)}`);
  return lines;
}

/** What training starts from, and which layers learn less or more than others. */
function describeFineTuning({ base, recipe }: Starting["config"]): string[] {
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
  return lines;
}

/** A line of training, and one of validation, so that both fit into 80 columns. */
function describeEpoch({ row, epochs, best }: EpochDone, hasTop5: boolean): string[] {
  const parts = [
    `epoch ${String(row.epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${row.loss.toFixed(3)}`,
    `top-1 ${percent(row.top1)}`,
    rate(row),
    `in ${clock(row.seconds)}`,
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
  return [`${parts.join("  ")}${best ? "  best" : ""}`];
}

function describeEnd({ run, best, reason, seconds }: TrainSummary, isValidated: boolean): string[] {
  const [evaluate, classify, report] = ["evaluate", "classify", "report"].map(
    (command) => `alexnet ${command} ${quoteForShell(run)}`,
  );
  const found = isValidated ? "lowest error" : "nothing was validated; lowest training error";
  return [
    `ended after ${clock(seconds)}: ${reason}`,
    ...(best === undefined ? [] : [`${found} in epoch ${best.epoch}: top-1 ${percent(1 - best.error)}`]),
    "next:",
    `  ${evaluate} ${isValidated ? "--views 10" : "<labelled pictures it has not seen>"}`,
    `  ${classify} <pictures>`,
    ...(isValidated ? [`  ${report}`] : []),
  ];
}

type Speed = Readonly<Record<"imagesPerSecond" | "waiting", number>>;

function rate(row: Speed): string {
  return `${speed(row)} (${waiting(row)})`;
}

function speed({ imagesPerSecond }: Speed): string {
  return `${imagesPerSecond.toFixed(imagesPerSecond < 10 ? 1 : 0)} img/s`;
}

function waiting(row: Speed): string {
  return `${percent(row.waiting)} waiting`;
}
