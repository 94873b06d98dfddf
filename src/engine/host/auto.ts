import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { AlexnetError } from "../../errors.js";
import { paper } from "../../network/architectures/paper.js";
import { scaleWidth, withClasses } from "../../network/transform.js";
import { cacheFolder } from "../../system/cache-folder.js";
import { writeWhole } from "../../system/files.js";
import { packageVersion } from "../../version.js";
import type { Engine } from "../engine.js";
import { type EngineName, engines, type OpenOptions } from "./engines.js";
import { type Comparison, compareLayers, compareSteps, isClose } from "./self-check.js";

/**
 * What "auto" takes: the GPU where there is one that proved right, else the CPU; where the CPU has no fast library, any GPU
 * that WebGPU reaches and that proved right.
 */

export type Open = (name: EngineName, options: OpenOptions) => Promise<Engine>;

/** Narrow enough for the reference engine to take seconds; every kind of layer, at the paper's sizes of maps. */
const checked = withClasses(scaleWidth(paper, 1 / 8), 16);

/** @throws AlexnetError as `open` does for the engine chosen */
export async function openBest(open: Open, options: OpenOptions): Promise<Engine> {
  const { precision } = options;
  const has = ({ precisions }: (typeof engines)[number]) => precision === undefined || precisions.includes(precision);
  const here = (kind: "gpu" | "any-gpu") => engines.filter(({ runsOn, mayBeHere }) => runsOn === kind && mayBeHere?.());
  const anyGpus = here("any-gpu").filter(has);
  const gpus = process.platform === "darwin" ? [...here("gpu"), ...anyGpus] : here("gpu"); // oneDNN is slow there
  const reasons: string[] = [];
  for (const { name } of gpus) {
    const gpu = await openGpu(name, open, options);
    if (typeof gpu !== "string") return gpu;
    reasons.push(gpu);
  }
  const why = reasons.join("; ") || "there is no GPU here that can be used";
  const cpu = engines.find((engine) => engine.runsOn === "cpu" && has(engine));
  if (cpu === undefined)
    throw new AlexnetError(
      "invalid-option",
      `precision ${precision}: only a GPU has it, and auto stays on the CPU: ${why}`,
    );
  const engine = await openCpu(cpu.name);
  if (gpus.length === 0) return engine;
  const choices = [`auto stays on the CPU: ${why}`, engine.choice].filter((choice) => choice !== undefined);
  return { ...engine, choice: choices.join("; ") };

  /** Where the CPU has no fast library, any GPU that proves right is better. */
  async function openCpu(name: EngineName): Promise<Engine> {
    try {
      return await open(name, options);
    } catch (error) {
      if (!(error instanceof AlexnetError && error.code === "engine")) throw error;
      for (const row of anyGpus.filter((candidate) => !gpus.includes(candidate))) {
        const gpu = await openGpu(row.name, open, options);
        if (typeof gpu !== "string") return gpu;
      }
      throw error;
    }
  }
}

/** An engine on a GPU, or why it isn't taken. */
async function openGpu(name: EngineName, open: Open, options: OpenOptions): Promise<Engine | string> {
  if (options.threads !== undefined) return "a number of threads was given";
  let engine: Engine;
  try {
    engine = await open(name, { ...options, hardwareOnly: true });
  } catch (error) {
    return reasonOf(error);
  }
  try {
    const { failures, date } = recall(engine) ?? (await check(engine, open));
    if (failures.length === 0)
      return { ...engine, choice: `auto takes the GPU, which agreed with the reference engine on ${date}` };
    await engine.close();
    return `the GPU's results are wrong (${failures[0]}${failures.length > 1 ? ` and ${failures.length - 1} more` : ""}, checked on ${date}); please report what scripts/gpu-check says. The engine ${name} takes it all the same`;
  } catch (error) {
    await engine.close();
    return `checking the GPU failed: ${reasonOf(error)}`;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof AlexnetError)) throw error;
  return error.message.replace(/\n.*/s, "");
}

/** The result of comparing an engine with the reference engine: once for each device, driver, library and version of ours. */
const verdictSchema = z.object({
  /** "2026-11-24" */
  date: z.string(),
  /** "conv2 dw is off by 0.31" */
  failures: z.array(z.string()),
});

type Verdict = z.infer<typeof verdictSchema>;

async function check(engine: Engine, open: Open): Promise<Verdict> {
  const reference = await open("reference", {});
  try {
    const failures: string[] = [];
    for (const compare of [compareLayers, compareSteps])
      for await (const comparison of compare([{ engine, precision: engine.description.precision }], reference, checked))
        if (!isClose(comparison)) failures.push(describe(comparison));
    const verdict = { date: new Date().toISOString().slice(0, 10), failures };
    remember(engine, verdict);
    return verdict;
  } finally {
    await reference.close();
  }
}

function describe({ layer, what, error }: Comparison): string {
  return `${layer}: ${what} is off by ${error.toPrecision(2)}`;
}

function verdictPath({ description: { library, instructionSet } }: Engine): string {
  const digest = createHash("sha256").update([packageVersion(), library, instructionSet].join("\n")).digest("hex");
  return join(cacheFolder(), "self-checks", `${digest.slice(0, 16)}.json`);
}

function recall(engine: Engine): Verdict | undefined {
  try {
    return verdictSchema.parse(JSON.parse(readFileSync(verdictPath(engine), "utf8")));
  } catch {
    return undefined; // never checked, or not readable
  }
}

function remember(engine: Engine, verdict: Verdict): void {
  const path = verdictPath(engine);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeWhole(path, `${JSON.stringify(verdict, undefined, 2)}\n`);
  } catch {
    // It is checked again the next time.
  }
}
