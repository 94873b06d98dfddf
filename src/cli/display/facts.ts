import type { EngineDescription } from "../../engine/engine.js";
import type { AdapterInventory, Inventory } from "../../engine/host/inventory.js";
import type { LayerSummary } from "../../network/summary.js";
import { byteSize, printTable, thousands } from "./print.js";

/** What `info` shows of an engine, of GPUs, and of a network on that engine. */
export interface Facts extends EngineDescription {
  readonly choice: string | undefined;
  readonly advice: string | undefined;
  /** The library's files on this machine, the first that loads is used. */
  readonly oneDnn: readonly string[];
  /** Its version and file; undefined where there is none. */
  readonly mpi: string | undefined;
  readonly network: string;
  readonly inputSize: number;
  readonly classes: number;
  readonly batchSize: number;
  readonly parameters: number;
  readonly gflopsForward: number;
  readonly gflopsTraining: number;
  readonly memoryBytesTraining: number;
  readonly memoryBytesPredicting: number;
  readonly layers: readonly LayerSummary[];
  readonly gpu: Inventory;
  readonly webGpu: AdapterInventory;
}

export function printFacts(facts: Facts): void {
  const { library, engine, instructionSet, threads, network, inputSize, classes, batchSize } = facts;
  console.log(`engine   ${engine}: ${library}, ${instructionSet}, ${threads} ${threads === 1 ? "thread" : "threads"}`);
  if (facts.choice !== undefined) console.log(`         ${facts.choice}`);
  if (facts.advice !== undefined) console.log(`         ${facts.advice}`);
  const [first, ...others] = facts.oneDnn;
  if (first !== undefined) console.log(`oneDNN   ${first}`);
  for (const other of others) console.log(`         ${other}, too`);
  if (facts.mpi !== undefined) console.log(`MPI      ${facts.mpi}`);
  printInventory(facts.gpu);
  printAdapters(facts.webGpu);
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

function printAdapters({ adapters, missing = "" }: AdapterInventory): void {
  for (const { name, software } of adapters)
    console.log(`WebGPU   ${name}${software ? ", which computes on the processor" : ""}`);
  if (adapters.length === 0) console.log(`WebGPU   none: ${missing.split(";")[0]}`);
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
