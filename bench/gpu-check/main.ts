import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { precisions } from "#src/engine/engine.js";
import { takeInventory } from "#src/engine/host/inventory.js";
import { project } from "../project.js";
import { foundSchema, gpuSchema, Report, type StageResult } from "./report.js";
import { type StageName, type StageOptions, stageLimits, stageNames } from "./stage.js";

const help = `scripts/gpu-check [options]

Checks the CUDA engine against the reference engine, measures layers, throughput and loading, trains beside the CPU
engine, and compares with PyTorch, as far as each is there. Each stage is a process of its own: one that fails, hangs or
crashes leaves the others alone. gpu-check.json and gpu-check.md are written after each; stages that an earlier run wrote
to the same folder stay in them.

  --out <folder>          where they go; default here
  --only <list>           of ${stageNames.join(", ")}
  --minutes <count>       for everything: stages that no time is left for are not begun
  --batches <list>        default 128,256,1024
  --steps <count>         timed steps; default 20
  --width <factor>        of the network, for a quick look; default 1
  --precision <name>      of the measurements; default bf16
  --pictures <folder>     to train on; default shared/data/imagenet10, else pictures that are drawn
  --epochs <count>        of training; default 4
  --python <command>      that has PyTorch, whose CUDA libraries are used; default ALEXNET_PYTHON or python3

cpu is the CPU engine's side of training; it needs no GPU, so that it can be run elsewhere before, with the same --out.`;

const { values: options } = parseArgs({
  options: {
    out: { type: "string", default: "." },
    only: { type: "string", default: stageNames.join(",") },
    minutes: { type: "string", default: "Infinity" },
    batches: { type: "string", default: "128,256,1024" },
    steps: { type: "string", default: "20" },
    width: { type: "string", default: "1" },
    precision: { type: "string", default: "bf16" },
    pictures: { type: "string", default: join(project, "shared/data/imagenet10") },
    epochs: { type: "string", default: "4" },
    python: { type: "string", default: process.env.ALEXNET_PYTHON ?? "python3" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(help);
  process.exit();
}
const chosen = options.only.split(",");
for (const name of chosen)
  if (!stageNames.some((stage) => stage === name))
    throw new Error(`--only ${name}: give some of ${stageNames.join(", ")}`);

process.env.ALEXNET_CUDA_PATH ||= pythonFolders().join(":");
mkdirSync(options.out, { recursive: true });
const report = new Report(options.out);
const gpu = takeInventory();
if (gpu.devices.length === 0 && chosen.some((name) => name !== "cpu")) {
  console.error(`gpu-check: ${gpu.missing.join("\n") || "the driver finds no device"}`);
  process.exit(2);
}
if (gpu.devices.length > 0) report.gpu = gpuSchema.parse(gpu);
const shared: Omit<StageOptions, "folder"> = {
  batches: options.batches.split(",").map(Number),
  steps: Number(options.steps),
  width: Number(options.width),
  precision: z.enum(precisions).parse(options.precision),
  pictures: options.pictures,
  epochs: Number(options.epochs),
  python: options.python,
  report: report.path,
};

/** The running stage's process, which leads a group. */
let running: number | undefined;
let end = performance.now() + 60_000 * Number(options.minutes);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => {
    end = 0; // what there is gets written, and no stage is begun any more
    endGroup(running);
  });

/** Stages that ended otherwise than they should. */
const bad: StageName[] = [];
for (const name of stageNames) {
  if (!chosen.includes(name)) continue;
  const seconds = Math.min(stageLimits[name], (end - performance.now()) / 1000);
  const result: StageResult = seconds < 5 ? { status: "not run", text: "no time was left" } : await run(name, seconds);
  console.error(`gpu-check: ${name}: ${result.status}${result.error ? `: ${result.error}` : ""}`);
  if (result.status !== "passed" && result.status !== "skipped") bad.push(name);
  report.add(name, { ...result, width: shared.width, precision: shared.precision });
}
console.log(readFileSync(report.textPath, "utf8"));
process.exit(bad.length === 0 ? 0 : 1);

/** One stage in a process of its own. What it had found before it failed or its time was up is kept. */
async function run(name: StageName, seconds: number): Promise<StageResult> {
  const folder = mkdtempSync(join(tmpdir(), "gpu-check-"));
  const path = join(folder, "result.json");
  const began = performance.now();
  const settings = JSON.stringify({ ...shared, folder } satisfies StageOptions);
  const program = fileURLToPath(new URL("./run-stage.js", import.meta.url));
  const child = spawn(process.execPath, [program, name, settings, path], {
    stdio: ["ignore", "inherit", "pipe"],
    detached: true, // so that what it starts ends with it
  });
  running = child.pid;
  let errors = "";
  child.stderr.on("data", (text: Buffer) => {
    errors = (errors + String(text)).slice(-4000);
    process.stderr.write(text);
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(child.pid);
  }, 1000 * seconds);
  const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((done) => {
    child.on("close", (code, signal) => done({ code, signal }));
  });
  clearTimeout(timer);
  endGroup(child.pid);
  const found = existsSync(path) ? foundSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : {};
  rmSync(folder, { recursive: true, force: true });
  const took = (performance.now() - began) / 1000;
  if (late) return { ...found, status: "unfinished", error: `stopped after ${seconds.toFixed(0)} s`, seconds: took };
  if (code === 0) return { ...found, status: found.status ?? "passed", seconds: took };
  const error = signal === null ? (found.error ?? errors.trim().split("\n").at(-1)) : `ended by ${signal}`;
  return { ...found, status: "failed", error, errors, seconds: took };
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // All of them have ended.
  }
}

/** Where `--python` has its packages, among them the CUDA libraries that PyTorch brings. */
function pythonFolders(): readonly string[] {
  const program = "import json, site; print(json.dumps(site.getsitepackages() + [site.getusersitepackages()]))";
  try {
    const printed = execFileSync(options.python, ["-c", program], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return z.array(z.string()).parse(JSON.parse(printed));
  } catch {
    return []; // There is no such Python.
  }
}
