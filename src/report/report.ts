import { statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { AlexnetError } from "../errors.js";
import {
  type EvaluateEvent,
  type EvaluateOptions,
  type Evaluation,
  evaluateStore,
  type LabelledPrediction,
  openEvaluation,
} from "../evaluation/evaluate.js";
import { describeLeftOut } from "../evaluation/match-classes.js";
import { curvesOf } from "../runs/curves.js";
import { RunFolder } from "../runs/folder.js";
import { type MetricsRow, readMetrics } from "../runs/metrics.js";
import { readJson, writeWhole } from "../system/files.js";
import { checkOutput } from "../system/outputs.js";
import { taskOf } from "../task.js";
import { packageVersion } from "../version.js";
import { takeCells } from "./cells.js";
import type { ReportData } from "./data.js";
import { leastCertain, takeExamples, worstMistakes } from "./examples.js";
import { filterSheet } from "./filters.js";
import { page } from "./page.js";
import { Pictures } from "./pictures.js";
import { type RunRecords, reportSettings } from "./settings.js";

export interface ReportOptions extends EvaluateOptions {
  /** The HTML file. Default report.html in the run's folder. */
  readonly out?: string;
  /** The most pictures in it, of about 5 kB each. Default 1000. */
  readonly pictures?: number;
}

export interface ReportSummary {
  readonly out: string;
  readonly bytes: number;
  readonly evaluation: Evaluation;
}

/**
 * Evaluates a trained network and writes one HTML file about it that needs nothing else: errors, training curves,
 * confusion matrix with its pictures, mistakes, calibration, the first layer's filters, settings.
 * @throws AlexnetError as `evaluate`; "invalid-option" when there is no run folder to write to and no `out`.
 */
export async function report(options: ReportOptions): Promise<ReportSummary> {
  const { run, pictures: most = 1000 } = options;
  const out = options.out ?? defaultPath(run);
  checkOutput(out, "out");
  const records = readRecords(run);
  const predictions: LabelledPrediction[] = [];
  const { signal, report: tell } = taskOf(options);
  const report = (event: EvaluateEvent): void => {
    if (event.kind === "prediction") predictions.push(event);
    tell(event);
  };
  const setup = await openEvaluation(options, { signal, report });
  try {
    const { store, loaded } = setup;
    const { model, engine } = loaded;
    const evaluation = await evaluateStore(setup, options, { signal, report });
    const pictures = new Pictures(store, model.classes, most);
    const training = trainingOf(records.metrics);
    const filters = await filterSheet(model);
    // In the order of what must not be missing when the page gets full.
    const examples = await takeExamples(predictions, model.classes, pictures);
    const mistakes = await pictures.takeAll(worstMistakes(predictions));
    const uncertain = await pictures.takeAll(leastCertain(predictions));
    const cells = await takeCells(evaluation, predictions, pictures);
    const text = page({
      title: basename(resolve(run)),
      subtitle: `${model.network.name}, ${model.classes.length} classes; ${engine.description.library}`,
      notes: describeLeftOut(evaluation.leftOut),
      version: packageVersion(),
      date: new Date().toISOString(),
      evaluation,
      ...(training && { training }),
      cells,
      mistakes,
      uncertain,
      examples,
      ...(filters && { filters }),
      settings: reportSettings(model.network, records),
      pictures: pictures.sources,
    });
    writeWhole(out, text);
    return { out, bytes: Buffer.byteLength(text), evaluation };
  } finally {
    await setup.close();
  }
}

function trainingOf(metrics: readonly MetricsRow[]): ReportData["training"] {
  if (metrics.length === 0) return undefined;
  const epochs = metrics.filter((row) => row.kind === "epoch").map(({ layers: _, ...row }) => row);
  return { curves: curvesOf(metrics), epochs };
}

function defaultPath(run: string): string {
  const found = statSync(run, { throwIfNoEntry: false });
  if (found?.isFile())
    throw new AlexnetError("invalid-option", `${run}: a checkpoint alone has no folder for the report`, {
      hint: { advice: "say where it goes", option: "out" },
    });
  return join(run, "report.html");
}

/** What a run's folder says about it; a checkpoint's file may lie in one. */
function readRecords(run: string): RunRecords & { readonly metrics: readonly MetricsRow[] } {
  const folder = [run, dirname(dirname(run))].map((path) => new RunFolder(path)).find(({ exists }) => exists);
  if (folder === undefined) return { config: undefined, sessions: [], metrics: [] };
  const environment = z.object({ sessions: z.array(z.unknown()) }).safeParse(readJson(folder.file("environment.json")));
  return {
    config: folder.readConfig(),
    sessions: environment.data?.sessions ?? [],
    metrics: readMetrics(folder.file("metrics.jsonl")),
  };
}
