import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { installedMpi } from "../../distributed/mpi/library.js";
import type { Engine } from "../../engine/engine.js";
import { adviceOn, installedLibraries, listAdapters, takeInventory } from "../../engine/host/inventory.js";
import { openEngine } from "../../engine/host/open.js";
import { modelPath } from "../../evaluation/loaded-model.js";
import type { Network } from "../../network/network.js";
import { resolveNetwork } from "../../network/networks.js";
import { summarise } from "../../network/summary.js";
import { classCount, scaleWidth, withClasses } from "../../network/transform.js";
import { readModelHeader } from "../../runs/checkpoint/read.js";
import { type Facts, printFacts } from "../display/facts.js";
import { printJson } from "../display/print.js";
import { positiveNumber, wholeNumber } from "../flags.js";
import { computing } from "../predicting.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    computing(
      new Command("info")
        .description("show the engine, what there is of GPUs, and what a network needs")
        .argument("[run]", "a run or checkpoint, to show its network")
        .option("--network <name|file>", "a name of `alexnet networks`, or a JSON file", "paper")
        .option("--width <factor>", "multiplies the feature maps of every layer", positiveNumber(16), 1)
        .option("--classes <count>", "outputs of the last layer; default the network's own", wholeNumber(2))
        .option("--batch <pictures>", "pictures a step", wholeNumber(1), 128),
    ).action(async (run, { network: name, width, classes, batch, engine: engineName, threads, precision, json }) => {
      const described = run === undefined ? scaleWidth(resolveNetwork(name), width) : networkOf(run);
      const network = classes === undefined ? described : withClasses(described, classes);
      const engine = await openEngine(engineName, { threads, precision });
      try {
        const facts = await collect(engine, network, batch);
        if (json) printJson(facts);
        else printFacts(facts);
      } finally {
        await engine.close();
      }
    }),
  );
}

function networkOf(run: string): Network {
  return readModelHeader(modelPath(run, "best")).network;
}

async function collect(engine: Engine, network: Network, batchSize: number): Promise<Facts> {
  const { layers, parameters, forwardFlops, trainingFlops } = summarise(network);
  const memory = (mode: "train" | "predict") => engine.estimateMemory(network, { batchSize, mode });
  return {
    ...engine.description,
    choice: engine.choice,
    advice: adviceOn(engine.description),
    oneDnn: installedLibraries(),
    mpi: installedMpi(),
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
    gpu: takeInventory(),
    webGpu: await listAdapters(),
  };
}
