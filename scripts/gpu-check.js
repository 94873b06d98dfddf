import { spawn, spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measureLayers } from "../dist/benchmark/layers.js";
import { syntheticBatch, syntheticPreprocessing } from "../dist/benchmark/synthetic.js";
import { measureThroughput } from "../dist/benchmark/throughput.js";
import { takeInventory } from "../dist/engine/cuda/inventory.js";
import { precisions } from "../dist/engine/engine.js";
import { openEngine } from "../dist/engine/open.js";
import { initialise } from "../dist/network/initialise.js";
import { paper } from "../dist/network/paper.js";
import { weightShape } from "../dist/network/parameters.js";
import { inferShapes } from "../dist/network/shapes.js";
import { scaleWidth, withClasses } from "../dist/network/transform.js";
import { below, normal } from "../dist/random.js";
import { median } from "../dist/statistics.js";

const help = `scripts/gpu-check [options]

Checks the CUDA engine against the reference engine, trains beside the CPU engine, and measures layers, throughput and
PyTorch, as far as each is there. Writes gpu-check.json and gpu-check.md.

  --out <folder>          where they go; default here
  --batches <list>        default 128,256,1024
  --steps <count>         timed steps; default 20
  --training-steps <n>    of the comparison with the CPU engine; default 300
  --width <factor>        of the network, for a quick look; default 1
  --precision <name>      of the measurements; default bf16
  --python <command>      that has PyTorch; default ALEXNET_PYTHON or python3
  --only <list>           of conformance, suite, training, layers, throughput, pytorch`;

const { values: options } = parseArgs({
  options: {
    out: { type: "string", default: "." },
    batches: { type: "string", default: "128,256,1024" },
    steps: { type: "string", default: "20" },
    "training-steps": { type: "string", default: "300" },
    width: { type: "string", default: "1" },
    precision: { type: "string", default: "bf16" },
    python: { type: "string", default: process.env.ALEXNET_PYTHON ?? "python3" },
    only: { type: "string", default: "conformance,suite,training,layers,throughput,pytorch" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(help);
  process.exit();
}
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const batches = options.batches.split(",").map(Number);
const steps = Number(options.steps);
const { precision } = options;
const network = scaleWidth(paper, Number(options.width));
const TOLERANCE = { float32: 1e-5, tf32: 2e-3, bf16: 2e-2 };

const sections = { conformance, suite, training, layers, throughput, pytorch };
const report = { gpu: takeInventory(), network: network.name, width: Number(options.width), precision };
const markdown = [`# GPU check`, describeGpu(report.gpu)];
let failed = false;
if (report.gpu.devices.length === 0) {
  console.error(`gpu-check: ${report.gpu.missing.join("\n") || "the driver finds no device"}`);
  process.exit(2);
}
for (const name of options.only.split(",")) {
  const section = sections[name];
  if (section === undefined) throw new Error(`--only ${name}: give some of ${Object.keys(sections).join(", ")}`);
  console.error(`gpu-check: ${name}`);
  try {
    const { data, text } = await section();
    report[name] = data;
    markdown.push(`## ${name}`, text);
  } catch (error) {
    failed = true;
    report[name] = { error: error.stack };
    markdown.push(`## ${name}`, `failed: ${error.message}`);
    console.error(`gpu-check: ${name} failed: ${error.message}`);
  }
  writeFileSync(join(options.out, "gpu-check.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(join(options.out, "gpu-check.md"), `${markdown.join("\n\n")}\n`);
}
console.log(markdown.join("\n\n"));
process.exit(failed ? 1 : 0);

/** Every layer of the network with fresh random inputs, on this engine in each precision and on the reference engine. */
async function conformance() {
  const reference = await openEngine("reference");
  const rows = [];
  for (const [index, { layer, input, output }] of inferShapes(network).entries()) {
    if (layer.kind === "dropout") continue;
    const tensor = (seed, shape, held = false) => ({
      shape,
      data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
        held ? Math.round(normal(index, seed, i) * 64) / 64 : Math.fround(normal(index, seed, i)),
      ),
    });
    const dims = (shape) => [2, shape.channels, ...(shape.height > 1 ? [shape.height, shape.width] : [])];
    const weights = weightShape(layer, input);
    const inputs = {
      x: tensor(1, dims(input), layer.kind === "max-pool"), // exact in bf16, so that maxima are the same
      dy: tensor(2, dims(output)),
      ...(weights && { w: tensor(3, [...weights]), b: tensor(4, [weights[0]]) }),
    };
    const expected = await reference.differentiate(layer, inputs);
    for (const own of precisions) {
      const actual = await withCuda(own, (engine) => engine.differentiate(layer, inputs));
      for (const key of Object.keys(expected))
        rows.push({ layer: layer.name, precision: own, what: key, error: relativeError(actual[key], expected[key]) });
    }
  }
  await reference.close();
  const wrong = rows.filter((row) => !(row.error <= TOLERANCE[row.precision]));
  if (wrong.length > 0) failed = true;
  const worst = precisions.map((own) => {
    const errors = rows.filter((row) => row.precision === own).map(({ error }) => error);
    return [own, Math.max(...errors).toExponential(1), TOLERANCE[own].toExponential(0)];
  });
  const list = wrong.map(({ layer, precision: own, what, error }) => `- ${layer} ${what}, ${own}: ${error}`);
  const text = table(["precision", "worst relative error of any layer", "tolerance"], worst);
  return { data: rows, text: [text, ...list].join("\n") };
}

/** The test suite's own conformance tests, where vitest is there. */
async function suite() {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  if (!existsSync(vitest)) return { data: { skipped: "no vitest" }, text: "skipped: vitest is not there" };
  const files = ["test/engine/conformance.test.ts", "test/engine/agreement.test.ts"];
  const run = spawnSync(process.execPath, [vitest, "run", ...files, "-t", "engine cuda", "--reporter=json"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const results = JSON.parse(run.stdout.slice(run.stdout.indexOf("{")));
  const tests = results.testResults.flatMap(({ assertionResults }) => assertionResults);
  const count = (status) => tests.filter((test) => test.status === status).length;
  const wrong = tests.filter(({ status }) => status === "failed");
  if (wrong.length > 0) failed = true;
  const failures = wrong.map(({ fullName, failureMessages }) => `- ${fullName}: ${failureMessages[0]?.split("\n")[0]}`);
  const data = { passed: count("passed"), failed: wrong.length, failures };
  return { data, text: [`${data.passed} tests passed, ${data.failed} failed`, ...failures].join("\n") };
}

/** The same steps on the CPU engine and here: pictures of 10 classes drawn from noise, three seeds. */
async function training() {
  const classes = 10;
  const small = withClasses(scaleWidth(paper, 0.125), classes);
  const count = Number(options["training-steps"]);
  const sides = [["onednn", "float32"], ...["float32", "bf16"].map((own) => ["cuda", own])];
  const rows = [];
  for (const [name, own] of sides)
    for (const seed of [1, 2, 3]) {
      const engine = await openEngine(name, { precision: own });
      try {
        rows.push({ engine: name, precision: own, seed, ...(await train(engine, small, classes, seed, count)) });
      } finally {
        await engine.close();
      }
    }
  const cells = sides.map(([name, own]) => {
    const mine = rows.filter((row) => row.engine === name && row.precision === own);
    const losses = mine.map(({ tail }) => tail.toFixed(3)).join(", ");
    return [name, own, losses, mine.map(({ accuracy }) => `${(100 * accuracy).toFixed(1)} %`).join(", ")];
  });
  const heads = ["engine", "precision", "mean loss of the last tenth, seeds 1 to 3", "top-1 on other pictures"];
  return { data: rows, text: `${count} steps of 32\n\n${table(heads, cells)}` };
}

async function train(engine, small, classes, seed, count) {
  const batchSize = 32;
  const preprocessing = syntheticPreprocessing();
  const program = await engine.compile(small, { batchSize, mode: "train", preprocessing });
  await program.write("parameters", initialise(small, { deviation: "he", biases: {} }, seed));
  const losses = [];
  for (let step = 0; step < count; step++) {
    const batch = patternBatch(batchSize, small.input.size, classes, seed, step);
    losses.push((await program.step(batch, { learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4, seed: step })).loss);
  }
  let right = 0;
  const tests = 10;
  for (let i = 0; i < tests; i++) {
    const batch = patternBatch(batchSize, small.input.size, classes, 99, i);
    const probabilities = await program.predict(batch);
    batch.labels.forEach((label, sample) => {
      const own = probabilities.subarray(sample * classes, (sample + 1) * classes);
      if (own.indexOf(Math.max(...own)) === label) right++;
    });
  }
  await program.close();
  const tail = losses.slice(-Math.ceil(count / 10));
  return { losses, tail: tail.reduce((a, b) => a + b, 0) / tail.length, accuracy: right / (tests * batchSize) };
}

/** Waves in noise: a class is a direction and a wavelength. */
function patternBatch(batchSize, size, classes, seed, step) {
  const batch = syntheticBatch(batchSize, size, classes);
  const labels = Int32Array.from({ length: batchSize }, (_, i) => below(classes, seed, step, i));
  const { pictures } = batch;
  for (let sample = 0; sample < batchSize; sample++) {
    const angle = (Math.PI * (labels[sample] % 5)) / 5;
    const [dx, dy] = [Math.cos(angle), Math.sin(angle)].map((along) => along * (labels[sample] < 5 ? 0.1 : 0.2));
    const phase = below(64, seed, step, sample, 1) / 10;
    for (let i = 0; i < 65536; i++) {
      const wave = 96 * Math.sin(dx * (i % 256) + dy * (i >> 8) + phase);
      const at = (sample * 65536 + i) * 3;
      for (let c = 0; c < 3; c++) pictures[at + c] = 128 + wave + (pictures[at + c] - 128) / 5;
    }
  }
  return { ...batch, labels };
}

/** Each operation's time beside what its operations and bytes take at the device's own rates. */
async function layers() {
  const data = {};
  const texts = [];
  for (const batchSize of batches) {
    const found = await withCuda(precision, (engine) => measureLayers(engine, network, { batchSize, steps }));
    data[batchSize] = found;
    const rows = found.rows.map((row) => {
      const least = Math.max(row.flops / found.gemmGflops / 1e6, row.bytes / found.copyRate / 1e6);
      const numbers = [row.flops / 1e9, row.bytes / 1e6, row.milliseconds, least].map((value) => value.toPrecision(3));
      const share = `${((100 * row.milliseconds) / found.sumMilliseconds).toFixed(1)} %`;
      return [row.layer, row.direction, ...numbers, (row.milliseconds / least).toFixed(1), share, row.implementation];
    });
    const rates = `${(found.gemmGflops / 1e3).toFixed(0)} TFLOP/s in a matrix product, ${found.copyRate.toFixed(0)} GB/s copying`;
    texts.push(
      `Batch ${batchSize}, ${precision}: ${found.stepMilliseconds.toFixed(2)} ms a step, ${((1000 * batchSize) / found.stepMilliseconds).toFixed(0)} pictures/s resident on the device; ${rates}`,
      table(["layer", "operation", "GFLOP", "MB", "ms", "at best", "times that", "share", "implementation"], rows),
    );
  }
  return { data, text: texts.join("\n\n") };
}

async function throughput() {
  const runs = [...batches.map((batchSize) => ["train", batchSize]), ["predict", 1], ["predict", Math.max(...batches)]];
  const rows = [];
  for (const [mode, batchSize] of runs)
    rows.push({
      mode,
      ...(await withCuda(precision, (engine) => measureThroughput(engine, network, { mode, batchSize, steps }))),
    });
  const cells = rows.map(({ mode, batchSize, imagesPerSecond, milliseconds }) => [
    ...[mode, batchSize, imagesPerSecond.toFixed(0)],
    ...[milliseconds.median, milliseconds.least, milliseconds.most].map((value) => value.toFixed(3)),
  ]);
  const text = table(["", "batch", "pictures/s", "median ms", "least", "most"], cells);
  return { data: rows, text: `Pictures brought over for every step.\n\n${text}` };
}

/** PyTorch in its quickest ways and this engine, in turn, with the pictures on the device. */
async function pytorch() {
  const rows = [];
  for (const batchSize of batches)
    for (const flags of [["--compile"], []]) {
      const peer = startPeer(batchSize, flags);
      const first = await peer.next();
      if (first.version === undefined) return { data: { skipped: first.error }, text: `skipped: ${first.error}` };
      const [ours, theirs] = [[], []];
      await withCuda(precision, async (engine) => {
        const batch = syntheticBatch(batchSize, network.input.size, 1000);
        const preprocessing = syntheticPreprocessing();
        const program = await engine.compile(network, { batchSize, mode: "train", preprocessing });
        await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
        const step = { learningRate: 1e-4, momentum: 0.9, weightDecay: 5e-4, seed: 1 };
        for (let round = 0; round < 7; round++) {
          ours.push((await program.profile(batch, step, steps)).milliseconds);
          theirs.push((await peer.step()).milliseconds);
        }
        await program.close();
      });
      peer.stop();
      const ratio = median(theirs.map((milliseconds, i) => milliseconds / ours[i]));
      rows.push({ batchSize, flags, version: first.version, ours, theirs, ratio });
    }
  const rate = (batchSize, times) => ((1000 * batchSize) / median(times)).toFixed(0);
  const cells = rows.map(({ batchSize, flags, version, ours, theirs, ratio }) => [
    ...[batchSize, `${version} ${flags.join(" ")}`, rate(batchSize, ours), rate(batchSize, theirs), ratio.toFixed(2)],
  ]);
  return { data: rows, text: table(["batch", "peer", "pictures/s", "the peer's", "times as fast"], cells) };
}

function startPeer(batchSize, flags) {
  const file = join(root, "bench/peers/pytorch-cuda.py");
  const child = spawn(options.python, [file, "--batch", String(batchSize), "--steps", String(steps), ...flags]);
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  child.on("error", (error) => {
    errors += error.message;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value } = await lines.next();
    return value === undefined ? { error: errors.trim().split("\n").at(-1) ?? "it ended" } : JSON.parse(value);
  };
  const step = () => {
    child.stdin.write("step\n");
    return next();
  };
  return { next, step, stop: () => child.kill() };
}

async function withCuda(own, use) {
  const engine = await openEngine("cuda", { precision: own });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

/** NaN where anything is NaN. */
function relativeError(actual, expected) {
  let [difference, whole] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    difference += (actual.data[i] - expected.data[i]) ** 2;
    whole += expected.data[i] ** 2;
  }
  return Math.sqrt(whole === 0 ? difference : difference / whole);
}

function describeGpu({ devices, libraries }) {
  const device = devices.map(({ name, memoryBytes }) => `${name}, ${(memoryBytes / 1e9).toFixed(0)} GB`);
  return [...device, ...libraries.map(({ name }) => name)].join("; ");
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}
