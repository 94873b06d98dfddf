import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { AlexnetError } from "../errors.js";
import { parseOptions, path, taskShape } from "../options.js";
import { readModelHash } from "../runs/checkpoint/read.js";
import { csvLine, parseCsvLine, splitCsvLines } from "../system/csv.js";
import { explainDisk, readJson, syncFolder, UNFINISHED, writeWhole } from "../system/files.js";
import { checkOutput } from "../system/outputs.js";
import { type FindingEvent, type TaskOptions, taskOf } from "../task.js";
import {
  type Classification,
  type ClassifyAllOptions,
  classifyFiles,
  classifyFilesWith,
  classifyingShape,
  findPictures,
} from "./classify.js";
import { type LoadedModel, modelPath, type OpenModelOptions, openModelShape } from "./loaded-model.js";

export interface ClassifyingToFileOptions
  extends Omit<ClassifyAllOptions, "signal" | "onEvent">,
    TaskOptions<FindingEvent> {
  /** Picture files; a folder stands for the pictures below it. */
  readonly pictures: readonly string[];
  /** The file to write. */
  readonly out: string;
  /** Lines of CSV, or of JSON. */
  readonly format: ClassificationFormat;
}

export interface ClassifyToFileOptions extends OpenModelOptions, ClassifyingToFileOptions {
  /** Folder of a run, or a checkpoint's file. */
  readonly run: string;
}

const toFileShape = {
  ...classifyingShape,
  ...taskShape<FindingEvent>(),
  pictures: z.array(path()),
  out: path(),
  format: z.enum(["csv", "jsonl"]),
};

export interface ClassifySummary {
  readonly out: string;
  /** Files in the list, and how many of them could not be read. */
  readonly files: number;
  readonly unreadable: number;
  /** Files that an earlier, interrupted call had done. */
  readonly before: number;
  readonly imagesPerSecond: number;
}

export type ClassificationFormat = "csv" | "jsonl";

/** How one file's result is written and found again. */
interface LineFormat {
  /** The first line, if there is one. */
  head(top: number): string;
  line(result: Classification, top: number): string;
  /** The whole lines of a text. */
  split(text: string): readonly string[];
  /** The file that a line other than the head is of, and whether it was read. */
  parse(line: string): { readonly file: string; readonly readable: boolean };
}

const jsonLine = z.object({ file: z.string(), error: z.string().optional() });

export const classificationFormats: Readonly<Record<ClassificationFormat, LineFormat>> = {
  csv: {
    head: (top) =>
      csvLine([
        "file",
        "error",
        ...Array.from({ length: top }, (_, i) => [`class_${i + 1}`, `probability_${i + 1}`]).flat(),
      ]),
    line(result, top) {
      const predictions = "error" in result ? [] : result.predictions;
      const cells = predictions.flatMap(({ class: name, probability }) => [name, probability]);
      const blanks = new Array<string>(2 * top - cells.length).fill("");
      return csvLine([result.file, "error" in result ? result.error : "", ...cells, ...blanks]);
    },
    split: splitCsvLines,
    parse(line) {
      const [file = "", error] = parseCsvLine(line);
      return { file, readable: error === "" };
    },
  },
  jsonl: {
    head: () => "",
    line: (result) => `${JSON.stringify(result)}\n`,
    split: (text) => text.split(/(?<=\n)/).filter((line) => line.endsWith("\n")),
    parse(line) {
      const { file, error } = jsonLine.parse(JSON.parse(line));
      return { file, readable: error === undefined };
    },
  },
};

/**
 * Classifies pictures into a file that is written as it goes. While it is unfinished its name ends in ".part"; the
 * same call goes on after what is there.
 * @throws AlexnetError "settings-differ" when what is there was begun otherwise, "disk" when there is no space for more;
 * all else as `classify`.
 */
export async function classifyToFile(options: ClassifyToFileOptions): Promise<ClassifySummary> {
  parseOptions(z.object({ ...openModelShape, ...toFileShape, run: path() }), options, "classifyToFile");
  const { run, checkpoint = "best" } = options;
  return writeResults(modelPath(run, checkpoint), options, (files) => classifyFiles(files, run, options));
}

/** `classifyToFile` by an open model. */
export async function classifyToFileWith(
  loaded: LoadedModel,
  options: ClassifyingToFileOptions,
): Promise<ClassifySummary> {
  parseOptions(z.object(toFileShape), options, "classifyToFile");
  return writeResults(loaded.path, options, (files) => classifyFilesWith(loaded, files, options));
}

async function writeResults(
  modelFile: string,
  options: ClassifyingToFileOptions,
  classify: (files: readonly string[]) => AsyncGenerator<Classification>,
): Promise<ClassifySummary> {
  const { out } = options;
  const task = taskOf(options);
  const { report } = task;
  checkOutput(out, "out", "whole");
  const { files, missing } = await findPictures(options.pictures, task);
  const file = new ResultFile(modelFile, options);
  try {
    const rest = files.filter((name) => !file.done.has(name));
    const before = file.done.size;
    let unreadable = file.unreadable;
    for (const row of missing) report({ kind: "unreadable", ...row });
    const progress = (done: number): void => report({ kind: "progress", of: "classifying", done, total: files.length });
    progress(before);
    const began = performance.now();
    let done = before;
    for await (const result of classify(rest)) {
      file.add(result);
      if ("error" in result) {
        unreadable++;
        report({ kind: "unreadable", ...result });
      }
      progress(++done);
    }
    file.finish();
    const seconds = (performance.now() - began) / 1000;
    return {
      out,
      files: files.length,
      unreadable: unreadable + missing.length,
      before,
      imagesPerSecond: rest.length / Math.max(seconds, 1e-9),
    };
  } finally {
    file.close();
  }
}

/** Lines that are there already, and those that come. */
class ResultFile {
  readonly done = new Set<string>();
  readonly unreadable: number = 0;
  readonly #path: string;
  readonly #line: (result: Classification) => string;
  readonly #file: number;

  constructor(modelFile: string, options: ClassifyingToFileOptions) {
    const { out, format, top = 5 } = options;
    const { head, line, split, parse } = classificationFormats[format];
    const first = head(top);
    this.#path = out;
    this.#line = (result) => line(result, top);
    const begun = existsSync(this.#part) && existsSync(this.#settings);
    const settings = settingsOf(modelFile, options);
    if (begun) this.#checkSettings(settings);
    else writeWhole(this.#settings, JSON.stringify(settings));
    const lines = begun ? split(readFileSync(this.#part, "utf8")) : [];
    for (const kept of first === "" ? lines : lines.slice(1)) {
      const { file, readable } = parse(kept);
      this.done.add(file);
      if (!readable) this.unreadable++;
    }
    this.#file = openSync(this.#part, "a");
    ftruncateSync(this.#file, Buffer.byteLength(lines.join(""))); // a crash may have cut the last line short
    if (lines.length === 0) this.#write(first);
  }

  add(result: Classification): void {
    this.#write(this.#line(result));
  }

  /** Gives the file its name. */
  finish(): void {
    fsyncSync(this.#file);
    renameSync(this.#part, this.#path);
    rmSync(this.#settings);
    syncFolder(dirname(this.#path));
  }

  close(): void {
    closeSync(this.#file);
  }

  get #part(): string {
    return this.#path + UNFINISHED;
  }

  /** What the unfinished file is being written with. */
  get #settings(): string {
    return `${this.#part}.json`;
  }

  #write(text: string): void {
    try {
      writeSync(this.#file, text);
    } catch (error) {
      throw explainDisk(error, this.#path);
    }
  }

  #checkSettings(settings: unknown): void {
    if (JSON.stringify(readJson(this.#settings)) !== JSON.stringify(settings))
      throw new AlexnetError(
        "settings-differ",
        `${this.#part}: was begun with another network or other settings; remove it`,
        { hint: { advice: "choose another file", option: "out" } },
      );
  }
}

function settingsOf(modelFile: string, { format, top = 5, views = 1 }: ClassifyingToFileOptions) {
  return { model: readModelHash(modelFile), format, top, views };
}
