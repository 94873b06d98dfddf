import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { writeWhole } from "#src/system/files.js";
import { type StageName, stageNames } from "./stage.js";

const statusSchema = z.enum(["passed", "failed", "skipped", "unfinished", "not run"]);

/** What a stage left of itself: all of it, or what it had found when it failed or was ended. */
export const foundSchema = z.looseObject({
  status: z.enum(["skipped", "failed"]).optional(),
  data: z.unknown().optional(),
  text: z.string().optional(),
  error: z.string().optional(),
});

const resultSchema = foundSchema.extend({
  status: statusSchema,
  /** The end of what the stage's process wrote to its standard error, where it failed. */
  errors: z.string().optional(),
  seconds: z.number().optional(),
  width: z.number().optional(),
  precision: z.string().optional(),
});

/** What there is of NVIDIA's on the machine. */
export const gpuSchema = z.looseObject({
  devices: z.array(z.looseObject({ name: z.string(), memoryBytes: z.number() })),
  libraries: z.array(z.object({ name: z.string(), path: z.string() })),
});

const reportSchema = z.looseObject({
  gpu: gpuSchema.optional(),
  stages: z.partialRecord(z.enum(stageNames), resultSchema),
});

export type StageResult = z.infer<typeof resultSchema>;
export type Gpu = z.infer<typeof gpuSchema>;

/** What is known of the stages, of this run and of earlier ones into the same folder: gpu-check.json, gpu-check.md. */
export class Report {
  readonly path: string;
  readonly textPath: string;
  readonly #stages: Partial<Record<StageName, StageResult>>;
  gpu: Gpu | undefined;

  constructor(folder: string) {
    this.path = resolve(folder, "gpu-check.json");
    this.textPath = resolve(folder, "gpu-check.md");
    const { gpu, stages } = readReport(this.path);
    this.gpu = gpu;
    this.#stages = stages;
  }

  /** Puts a stage's result in place of an earlier one, unless that one says more. */
  add(name: StageName, result: StageResult): void {
    const saysSomething = !["not run", "unfinished"].includes(result.status);
    if (saysSomething || this.#stages[name]?.status !== "passed") this.#stages[name] = result;
    writeWhole(this.path, `${JSON.stringify({ gpu: this.gpu, stages: this.#stages }, undefined, 2)}\n`);
    writeFileSync(this.textPath, this.#text());
  }

  #text(): string {
    const sections = stageNames.flatMap((name) => {
      const stage = this.#stages[name];
      return stage === undefined ? [] : [sectionOf(name, stage)];
    });
    return `${["# GPU check", describeGpu(this.gpu), ...sections].join("\n\n")}\n`;
  }
}

/** @returns the report in a file; an empty one where there is none */
export function readReport(path: string): z.infer<typeof reportSchema> {
  return existsSync(path) ? reportSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : { stages: {} };
}

function sectionOf(name: StageName, { status, error, text, seconds, width = 1 }: StageResult): string {
  const details = [
    ...(seconds === undefined ? [] : [`${seconds.toFixed(0)} s`]),
    ...(width === 1 ? [] : [`width ${width}`]),
  ];
  const heading = `## ${name}: ${status}${details.length === 0 ? "" : ` (${details.join(", ")})`}`;
  return [heading, ...(error ? [`**${error}**`] : []), ...(text ? [text] : [])].join("\n\n");
}

function describeGpu(gpu: Gpu | undefined): string {
  if (gpu === undefined) return "no GPU";
  const devices = gpu.devices.map(({ name, memoryBytes }) => `${name}, ${(memoryBytes / 1e9).toFixed(0)} GB`);
  return [...devices, ...gpu.libraries.map(({ name }) => name)].join("; ");
}
