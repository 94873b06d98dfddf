import type { EngineDescription } from "../../engine/engine.js";
import type { AdapterInventory, Inventory } from "../../engine/host/inventory.js";
import type { LayerSummary } from "../../network/summary.js";
import { byteSize, printLine, printTable, thousands } from "./print.js";

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
  printLine(`engine   ${engine}: ${library}, ${instructionSet}, ${threads} ${threads === 1 ? "thread" : "threads"}`);
  if (facts.choice !== undefined) printLine(`         ${facts.choice}`);
  if (facts.advice !== undefined) printLine(`         ${facts.advice}`);
  const [first, ...others] = facts.oneDnn;
  if (first !== undefined) printLine(`oneDNN   ${first}`);
  for (const other of others) printLine(`         ${other}, too`);
  if (facts.mpi !== undefined) printLine(`MPI      ${facts.mpi}`);
  printInventory(facts.gpu);
  printAdapters(facts.webGpu);
  printLine(`network  ${network}, ${inputSize}x${inputSize}, ${thousands(classes)} classes`);
  printLine(`         ${thousands(facts.parameters)} parameters`);
  printLine(
    `         ${facts.gflopsForward.toFixed(3)} GFLOP a picture forward, ${facts.gflopsTraining.toFixed(3)} in training`,
  );
  printLine(
    `memory   batches of ${batchSize}: ${byteSize(facts.memoryBytesTraining)} in training, ${byteSize(facts.memoryBytesPredicting)} in prediction\n`,
  );
  printTable(["layer", "kind", "settings", "output", "parameters", "MFLOP forward"], facts.layers.map(layerRow));
}

function printInventory({ devices, libraries, missing }: Inventory): void {
  for (const { name, major, minor, memoryBytes, multiprocessors } of devices)
    printLine(
      `gpu      ${name}, ${byteSize(memoryBytes)}, ${multiprocessors} multiprocessors, compute capability ${major}.${minor}`,
    );
  for (const { name, path } of libraries) printLine(`         ${name}, ${path}`);
  if (devices.length === 0 && missing.length === 0) printLine("gpu      none; the driver is there");
  for (const message of missing)
    printLine(`${devices.length === 0 ? "gpu      none: " : "         "}${message.split(";")[0]}`);
}

function printAdapters({ adapters, missing = "" }: AdapterInventory): void {
  for (const { name, software } of adapters)
    printLine(`WebGPU   ${name}${software ? ", which computes on the processor" : ""}`);
  if (adapters.length === 0) printLine(`WebGPU   none: ${missing.split(";")[0]}`);
}

function layerRow({ name, kind, settings, output, parameters, multiplyAdds }: LayerSummary): string[] {
  const { channels, height, width } = output;
  return [
    name,
    kind,
    Object.entries(settings)
      .map(([field, value]) => `${field} ${value}`)
      .join(", "),
    height * width === 1 ? thousands(channels) : `${channels}x${height}x${width}`,
    parameters === 0 ? "" : thousands(parameters),
    multiplyAdds === 0 ? "" : ((2 * multiplyAdds) / 1e6).toFixed(1),
  ];
}
