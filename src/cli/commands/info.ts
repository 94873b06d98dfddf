import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { type Inventory, takeInventory } from "../../engine/cuda/inventory.js";
import { type Engine, precisions } from "../../engine/engine.js";
import { engineNames } from "../../engine/host/engines.js";
import { openEngine } from "../../engine/host/open.js";
import { adviceOn } from "../../engine/onednn/advice.js";
import { modelPath } from "../../evaluation/loaded-model.js";
import type { Network } from "../../network/network.js";
import { resolveNetwork } from "../../network/networks.js";
import { type LayerSummary, summarise } from "../../network/summary.js";
import { classCount, scaleWidth, withClasses } from "../../network/transform.js";
import { readModelHeader } from "../../runs/checkpoint/read.js";
import { byteSize, printTable, thousands } from "../display/print.js";
import { choice, ENGINE_HELP, PRECISION_HELP, positiveNumber, wholeNumber } from "../flags.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("info")
      .description("show the engine, what there is of GPUs, and what a network needs")
      .argument("[run]", "a run or checkpoint, to show its network")
      .option("--network <name|file>", "a name of `alexnet networks`, or a JSON file", "paper")
      .option("--width <factor>", "maps of every layer, times this", positiveNumber(16), 1)
      .option("--classes <count>", "outputs of the last layer; default the network's own", wholeNumber(2))
      .option("--batch <pictures>", "pictures a step", wholeNumber(1), 128)
      .option("--engine <name>", ENGINE_HELP, choice(["auto", ...engineNames]), "auto")
      .option("--precision <name>", PRECISION_HELP, choice(precisions))
      .option("--threads <count>", "threads that compute", wholeNumber(1))
      .option("--json", "print JSON")
      .action(async (run, { network: name, width, classes, batch, engine: engineName, threads, precision, json }) => {
        const described = run === undefined ? scaleWidth(resolveNetwork(name), width) : networkOf(run);
        const network = classes === undefined ? described : withClasses(described, classes);
        const engine = await openEngine(engineName, { threads, precision });
        try {
          const facts = { ...(await collect(engine, network, batch)), gpu: takeInventory() };
          if (json) console.log(JSON.stringify(facts, undefined, 2));
          else print(facts);
        } finally {
          await engine.close();
        }
      }),
  );
}

function networkOf(run: string): Network {
  return readModelHeader(modelPath(run, "best")).network;
}

async function collect(engine: Engine, network: Network, batchSize: number) {
  const { layers, parameters, forwardFlops, trainingFlops } = summarise(network);
  const memory = (mode: "train" | "predict") => engine.estimateMemory(network, { batchSize, mode });
  return {
    ...engine.description,
    choice: engine.choice,
    advice: adviceOn(engine.description),
    network: network.name,
    inputSize: network.input.size,
    classes: classCount(network),
    batchSize,
    parameters,
    gflopsForward: forwardFlops / 1e9,
    gflopsTraining: trainingFlops / 1e9,
    memoryBytesTraining: await memory("train"),
    memoryBytesPredicting: await memory("predict"),
    layers,
  };
}

type Facts = Awaited<ReturnType<typeof collect>> & { readonly gpu: Inventory };

function print(facts: Facts): void {
  const { library, engine, instructionSet, threads, network, inputSize, classes, batchSize } = facts;
  console.log(`engine   ${engine}: ${library}, ${instructionSet}, ${threads} ${threads === 1 ? "thread" : "threads"}`);
  if (facts.choice !== undefined) console.log(`         ${facts.choice}`);
  if (facts.advice !== undefined) console.log(`         ${facts.advice}`);
  printInventory(facts.gpu);
  console.log(`network  ${network}, ${inputSize}x${inputSize}, ${thousands(classes)} classes`);
  console.log(`         ${thousands(facts.parameters)} parameters`);
  console.log(
    `         ${facts.gflopsForward.toFixed(3)} GFLOP a picture forward, ${facts.gflopsTraining.toFixed(3)} in training`,
  );
  console.log(
    `memory   batches of ${batchSize}: ${byteSize(facts.memoryBytesTraining)} in training, ${byteSize(facts.memoryBytesPredicting)} in prediction\n`,
  );
  printTable(["layer", "kind", "output", "parameters", "MFLOP forward"], facts.layers.map(layerRow));
}

function printInventory({ devices, libraries, missing }: Inventory): void {
  for (const { name, major, minor, memoryBytes, multiprocessors } of devices)
    console.log(
      `gpu      ${name}, ${byteSize(memoryBytes)}, ${multiprocessors} multiprocessors, compute capability ${major}.${minor}`,
    );
  for (const { name, path } of libraries) console.log(`         ${name}, ${path}`);
  if (devices.length === 0 && missing.length === 0) console.log("gpu      none; the driver is there");
  for (const message of missing)
    console.log(`${devices.length === 0 ? "gpu      none: " : "         "}${message.split(";")[0]}`);
}

function layerRow({ name, kind, output, parameters, multiplyAdds }: LayerSummary): string[] {
  const { channels, height, width } = output;
  return [
    name,
    kind,
    height * width === 1 ? thousands(channels) : `${channels}x${height}x${width}`,
    parameters === 0 ? "" : thousands(parameters),
    multiplyAdds === 0 ? "" : ((2 * multiplyAdds) / 1e6).toFixed(1),
  ];
}
