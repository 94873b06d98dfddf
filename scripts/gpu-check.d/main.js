import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { takeInventory } from "../../dist/engine/cuda/inventory.js";
import { writeWhole } from "../../dist/system/files.js";

/** Stages in order of importance, with the seconds that each may take at most. */
const stages = {
  conformance: 240,
  layers: 120,
  throughput: 120,
  data: 150,
  cpu: 600,
  training: 150,
  pytorch: 400,
  suite: 300,
};

const help = `scripts/gpu-check [options]

Checks the CUDA engine against the reference engine, measures layers, throughput and loading, trains beside the CPU
engine, and compares with PyTorch, as far as each is there. Each stage is a process of its own: one that fails, hangs or
crashes leaves the others alone. gpu-check.json and gpu-check.md are written after each; stages that an earlier run wrote
to the same folder stay in them.

  --out <folder>          where they go; default here
  --only <list>           of ${Object.keys(stages).join(", ")}
  --minutes <count>       for everything: stages that no time is left for are not begun
  --batches <list>        default 128,256,1024
  --steps <count>         timed steps; default 20
  --width <factor>        of the network, for a quick look; default 1
  --precision <name>      of the measurements; default bf16
  --pictures <folder>     to train on; default shared/data/imagenet10, else pictures that are drawn
  --epochs <count>        of training; default 4
  --python <command>      that has PyTorch, whose CUDA libraries are used; default ALEXNET_PYTHON or python3

cpu is the CPU engine's side of training; it needs no GPU, so that it can be run elsewhere before, with the same --out.`;

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values: options } = parseArgs({
  options: {
    out: { type: "string", default: "." },
    only: { type: "string", default: Object.keys(stages).join(",") },
    minutes: { type: "string", default: "Infinity" },
    batches: { type: "string", default: "128,256,1024" },
    steps: { type: "string", default: "20" },
    width: { type: "string", default: "1" },
    precision: { type: "string", default: "bf16" },
    pictures: { type: "string", default: join(root, "shared/data/imagenet10") },
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
  if (!(name in stages)) throw new Error(`--only ${name}: give some of ${Object.keys(stages).join(", ")}`);

process.env.ALEXNET_CUDA_PATH ||= pythonFolders().join(":");
mkdirSync(options.out, { recursive: true });
const [jsonPath, textPath] = ["json", "md"].map((end) => resolve(options.out, `gpu-check.${end}`));
const report = existsSync(jsonPath) ? JSON.parse(readFileSync(jsonPath, "utf8")) : { stages: {} };
const gpu = takeInventory();
if (gpu.devices.length === 0 && chosen.some((name) => name !== "cpu")) {
  console.error(`gpu-check: ${gpu.missing.join("\n") || "the driver finds no device"}`);
  process.exit(2);
}
if (gpu.devices.length > 0) report.gpu = gpu;
const { width, precision } = options;

let running; // the stage's process, which leads a group
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => {
    end = 0; // what there is gets written, and nothing is begun any more
    endGroup(running);
  });

/** What ended otherwise than it should. */
const bad = [];
let end = performance.now() + 60_000 * Number(options.minutes);
for (const [name, most] of Object.entries(stages)) {
  if (!chosen.includes(name)) continue;
  const seconds = Math.min(most, (end - performance.now()) / 1000);
  const result = seconds < 5 ? { status: "not run", text: "no time was left" } : await run(name, seconds);
  console.error(`gpu-check: ${name}: ${result.status}${result.error ? `: ${result.error}` : ""}`);
  if (!["passed", "skipped"].includes(result.status)) bad.push(name);
  const isFound = !["not run", "unfinished"].includes(result.status); // what an earlier run found is more than nothing
  if (isFound || report.stages[name]?.status !== "passed")
    report.stages[name] = { ...result, width: Number(width), precision };
  write();
}
console.log(readFileSync(textPath, "utf8"));
process.exit(bad.length === 0 ? 0 : 1);

/** One stage in a process of its own. What it had found before it failed or its time was up is kept. */
async function run(name, seconds) {
  const folder = mkdtempSync(join(tmpdir(), "gpu-check-"));
  const path = join(folder, "result.json");
  const began = performance.now();
  const settings = JSON.stringify({ ...options, report: resolve(jsonPath), folder, path });
  const child = spawn(process.execPath, [join(root, "scripts/gpu-check.d/stage.js"), name, settings], {
    stdio: ["ignore", "inherit", "pipe"],
    detached: true, // so that what it starts ends with it
  });
  running = child.pid;
  let errors = "";
  child.stderr.on("data", (text) => {
    errors = (errors + text).slice(-4000);
    process.stderr.write(text);
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(child.pid);
  }, 1000 * seconds);
  const [code, signal] = await new Promise((done) => child.on("close", (...how) => done(how)));
  clearTimeout(timer);
  endGroup(child.pid);
  const found = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  rmSync(folder, { recursive: true, force: true });
  const took = (performance.now() - began) / 1000;
  if (late) return { ...found, status: "unfinished", error: `stopped after ${seconds.toFixed(0)} s`, seconds: took };
  if (code === 0) return { status: "passed", ...found, seconds: took };
  const error = signal === null ? (found.error ?? errors.trim().split("\n").at(-1)) : `ended by ${signal}`;
  return { ...found, status: "failed", error, errors, seconds: took };
}

function endGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // all have ended
  }
}

function write() {
  const sections = Object.keys(stages).flatMap((name) => {
    const stage = report.stages[name];
    if (stage === undefined) return [];
    const { status, error, text = "", seconds, width } = stage;
    const details = [
      ...(seconds === undefined ? [] : [`${seconds.toFixed(0)} s`]),
      ...((width ?? 1) === 1 ? [] : [`width ${width}`]),
    ];
    const heading = `## ${name}: ${status}${details.length === 0 ? "" : ` (${details.join(", ")})`}`;
    return [[heading, ...(error ? [`**${error}**`] : []), ...(text ? [text] : [])].join("\n\n")];
  });
  writeWhole(jsonPath, `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(textPath, `${["# GPU check", describeGpu(report.gpu), ...sections].join("\n\n")}\n`);
}

function describeGpu(found) {
  if (found === undefined) return "no GPU";
  const device = found.devices.map(({ name, memoryBytes }) => `${name}, ${(memoryBytes / 1e9).toFixed(0)} GB`);
  return [...device, ...found.libraries.map(({ name }) => name)].join("; ");
}

/** Where `--python` has its packages, among them the CUDA libraries that PyTorch brings. */
function pythonFolders() {
  const program = "import json, site; print(json.dumps(site.getsitepackages() + [site.getusersitepackages()]))";
  try {
    return JSON.parse(
      execFileSync(options.python, ["-c", program], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    );
  } catch {
    return []; // no such Python
  }
}
