import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AlexnetError } from "../../errors.js";
import type { Network } from "../../network/network.js";
import type { Batch } from "../../network/picture.js";
import { inferShapes, volume } from "../../network/shapes.js";
import { normal } from "../../random.js";
import { cacheFolder } from "../../system/cache-folder.js";
import { SavedChoices } from "../program/choices.js";
import { plainPreprocessing } from "../program/one-layer.js";
import { describeMachine, preferredAlgorithms } from "./algorithms.js";
import { type Arithmetic, float32 } from "./arithmetic.js";
import type { Library } from "./native/library.js";
import { compileProgram } from "./program.js";
import { bfloat16Arithmetic } from "./self-test.js";

/** What a program computes with, and why where there was a choice. */
export interface ChosenArithmetic {
  readonly arithmetic: Arithmetic;
  readonly choice?: string;
}

/** How many times as fast bf16 must be for "auto" to take it: noise decides nothing. */
const WORTHWHILE = 1.05;

/**
 * bf16 where the processor multiplies matrices of it (AMX), elsewhere where it was measured to be quicker.
 * @throws AlexnetError "unsupported" for bf16 without AVX-512, "engine" where the library computes wrongly in it
 */
export function chooseArithmetic(library: Library, precision: "float32" | "bf16" | undefined): ChosenArithmetic {
  if (precision === "float32") return { arithmetic: float32 };
  const measures = preferredAlgorithms() === "measure";
  if (precision === "bf16") return bfloat16Named(library, measures);
  const { instructionSet } = library;
  if (!computesBfloat16(instructionSet)) return { arithmetic: float32 };
  if (!measures) return { arithmetic: float32 };
  let arithmetic: Arithmetic;
  try {
    arithmetic = bfloat16Arithmetic(library);
  } catch (error) {
    if (!(error instanceof AlexnetError)) throw error;
    return { arithmetic: float32, choice: `float32: ${error.message}` };
  }
  if (hasAmx(instructionSet)) return { arithmetic, choice: "bf16, as this processor has AMX" };
  const times = measured(library, arithmetic);
  return times.float32 > WORTHWHILE * times.bf16
    ? { arithmetic, choice: `bf16: ${compare(times)}` }
    : { arithmetic: float32, choice: `float32: ${compare(times)}${withheldAmx()}` };
}

function bfloat16Named(library: Library, measures: boolean): ChosenArithmetic {
  const { instructionSet } = library;
  if (!computesBfloat16(instructionSet))
    throw new AlexnetError(
      "unsupported",
      `precision bf16: it needs a processor with AVX-512, and oneDNN uses ${instructionSet} here`,
      { hint: { advice: "compute in float32", option: "precision", value: "float32" } },
    );
  const arithmetic = bfloat16Arithmetic(library);
  if (hasAmx(instructionSet) || !measures) return { arithmetic };
  const times = measured(library, arithmetic);
  return times.float32 >= times.bf16
    ? { arithmetic }
    : { arithmetic, choice: `bf16 is slower than float32 here: ${compare(times)}${withheldAmx()}` };
}

function computesBfloat16(instructionSet: string): boolean {
  return instructionSet.startsWith("AVX-512");
}

function hasAmx(instructionSet: string): boolean {
  return instructionSet.includes("AMX");
}

/** Says so where the processor has AMX that programs can't use. */
function withheldAmx(): string {
  try {
    if (!readFileSync("/proc/cpuinfo", "utf8").includes("amx_bf16")) return "";
  } catch {
    return ""; // not Linux
  }
  return "; the processor has AMX, but the system or oneDNN does not let it be used (Linux has it from 5.16, gVisor not at all)";
}

/** Milliseconds of a training step of `yardstick`. */
interface StepTimes {
  readonly float32: number;
  readonly bf16: number;
}

function compare({ float32, bf16 }: StepTimes): string {
  const ratio = (float32 / bf16).toFixed(2);
  return `a training step of three layers took ${bf16.toFixed(0)} ms in bf16 and ${float32.toFixed(0)} ms in float32 (${ratio} times as fast)`;
}

/** The layers that take most of a step, at the paper's sizes. Runs from pool1's outputs. */
const yardstick: Network = {
  name: "yardstick",
  input: { channels: 3, size: 227 },
  layers: [
    { kind: "convolution", name: "conv1", filters: 96, size: 11, stride: 4, padding: 0, groups: 1 },
    { kind: "max-pool", name: "pool1", size: 3, stride: 2 },
    { kind: "convolution", name: "conv2", filters: 256, size: 5, stride: 1, padding: 2, groups: 2 },
    { kind: "relu", name: "relu2" },
    { kind: "max-pool", name: "pool2", size: 3, stride: 2 },
    { kind: "convolution", name: "conv3", filters: 384, size: 3, stride: 1, padding: 1, groups: 1 },
    { kind: "relu", name: "relu3" },
    { kind: "max-pool", name: "pool3", size: 3, stride: 2 },
    { kind: "fully-connected", name: "fc4", outputs: 256 },
  ],
};
const AFTER = "pool1";
const BATCH = 32;
const ROUNDS = 3;

/** Two seconds once; what was found is remembered for this machine. */
function measured(library: Library, arithmetic: Arithmetic): StepTimes {
  const saved = new SavedChoices(join(cacheFolder(), "choices", "onednn.json"));
  const key = `${describeMachine(library)}; bf16 beside float32, ms`;
  const known = saved.get(key)?.split(" ").map(Number);
  if (known?.length === 2 && known.every((time) => time > 0)) return { bf16: known[0], float32: known[1] };
  const times = measure(library, arithmetic);
  saved.keep(key, `${times.bf16.toFixed(2)} ${times.float32.toFixed(2)}`);
  return times;
}

/** The least of a few steps each, in turns. */
function measure(library: Library, arithmetic: Arithmetic): StepTimes {
  const output = inferShapes(yardstick).find(({ layer }) => layer.name === AFTER)?.output;
  if (output === undefined) throw new Error(`the yardstick has no ${AFTER}`);
  const activations = Float32Array.from({ length: BATCH * volume(output) }, (_, i) => Math.abs(normal(i)));
  const view = { picture: 0, top: 0, left: 0, mirrored: false, colourShift: [0, 0, 0] } as const;
  const batch: Batch = {
    pictures: new Uint8Array(),
    views: Array.from({ length: BATCH }, () => view),
    labels: new Int32Array(BATCH),
    activations,
  };
  const sides = [arithmetic, float32].map((each) =>
    compileProgram(library, each, yardstick, {
      batchSize: BATCH,
      mode: "train",
      preprocessing: plainPreprocessing(yardstick),
      after: AFTER,
    }),
  );
  try {
    const least = sides.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round <= ROUNDS; round++)
      for (const [side, program] of sides.entries()) {
        const start = performance.now();
        program.step(batch, { learningRate: 0, momentum: 0, weightDecay: 0, seed: round });
        if (round > 0) least[side] = Math.min(least[side], performance.now() - start); // the first touches the memory
      }
    return { bf16: least[0], float32: least[1] };
  } finally {
    for (const program of sides) program.close();
  }
}
