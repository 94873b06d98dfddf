import type { Network } from "../../network/network.js";
import { parameterTable } from "../../network/parameters.js";
import { pictureBytes, pictureSizeOf } from "../../network/picture.js";
import { classCount } from "../../network/transform.js";
import type { CompileOptions } from "../engine.js";
import { Walk } from "../program/walk.js";
import { Build, type Memory, type Tensor } from "./build.js";
import type { Gpu } from "./gpu.js";
import { type Activation, lengthOf } from "./layer.js";
import { addLayers } from "./layers/index.js";
import { addInput } from "./layers/input.js";
import { addLoss, addSoftmax } from "./layers/loss.js";
import { addUpdate } from "./layers/update.js";
import { Parameters } from "./parameters.js";
import { StepInputBlock } from "./step-inputs.js";

/** The next batch comes to one while the other is worked on. */
export const SLOTS = [0, 1] as const;

export type Plan = ReturnType<typeof planProgram>;

/** A network as operations in order, with the memory between them planned but not allocated. */
export function planProgram(gpu: Gpu, network: Network, options: CompileOptions) {
  const build = new Build(gpu, options.algorithms);
  try {
    return plan(build, network, options);
  } catch (error) {
    build.close();
    throw error;
  }
}

function plan(build: Build, network: Network, options: CompileOptions) {
  const { batchSize, multipliers, preprocessing } = options;
  const training = options.mode === "train";
  const parameters = new Parameters(build, parameterTable(network), training, multipliers);
  const inputs = new StepInputBlock(build, batchSize);
  const walk = new Walk<Activation, Tensor>(network, options, {
    keep: parameters.keep,
    learns: parameters.learns,
    begin: build.begin,
    observe: (y) => keepAlive(y.tensor),
    add: (layer, x, position) =>
      addLayers(layer, x, { ...position, build, parameters, batchSize, training, controls: inputs.all }),
  });

  /** Where batches' pictures lie, in turn, for programs that look at pictures. */
  const bytes = batchSize * pictureBytes(pictureSizeOf(preprocessing));
  const pictures = walk.before.length > 0 ? undefined : SLOTS.map(() => build.memory(bytes));
  const form = { batchSize, size: network.input.size, firstLayer: network.layers[0] };
  const input =
    pictures === undefined
      ? addActivations(build, walk.before, batchSize)
      : addInput(build, form, preprocessing, inputs, pictures);
  const y = walk.forward(input);

  const classes = classCount(network);
  build.begin("prediction");
  const probabilities = addSoftmax(build, y.tensor, classes);
  build.begin("loss");
  const loss = training ? addLoss(build, y.tensor, inputs, classes) : undefined;
  const dx = walk.backward(loss?.dlogits);
  if (dx !== undefined) keepAlive(dx);
  const inputGradient: Activation | undefined = dx && { ...input, tensor: dx };
  build.begin("update");
  if (loss !== undefined) addUpdate(build, parameters, inputs.all, loss.result);
  return { build, parameters, inputs, pictures, input, classes, probabilities, loss, walk, inputGradient };
}

/** The input of a program that begins after a layer: each batch brings it, no operation writes it. */
function addActivations(build: Build, before: Walk<Activation, Tensor>["before"], batchSize: number): Activation {
  const shape = before[before.length - 1].output;
  return { tensor: build.tensor(lengthOf({ shape }, batchSize), { kept: true }), shape, rectified: false };
}

/** Until the next batch. */
function keepAlive({ block }: Memory): void {
  block.kept = true;
}
