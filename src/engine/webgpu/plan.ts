import type { Network } from "../../network/network.js";
import { parameterTable } from "../../network/parameters.js";
import { volume } from "../../network/shapes.js";
import { classCount } from "../../network/transform.js";
import type { CompileOptions } from "../engine.js";
import { Walk } from "../program/walk.js";
import { Build } from "./build.js";
import type { Tensor } from "./dispatch.js";
import type { Gpu } from "./gpu.js";
import type { Activation } from "./layer.js";
import { addLayers } from "./layers/index.js";
import { addInput, pictureWords } from "./layers/input.js";
import { addLoss, addSoftmax } from "./layers/loss.js";
import { addUpdate } from "./layers/update.js";
import { Parameters } from "./parameters.js";
import { StepInputBlock } from "./step-inputs.js";

export type Plan = ReturnType<typeof planProgram>;

/** A network as operations in order, with the memory between them planned but not allocated. */
export function planProgram(gpu: Gpu, network: Network, options: CompileOptions) {
  const { batchSize, multipliers, preprocessing } = options;
  const build = new Build(gpu, options.algorithms);
  const training = options.mode === "train";
  const parameters = new Parameters(build, parameterTable(network), training, multipliers);
  const inputs = new StepInputBlock(build, batchSize);
  const walk = new Walk<Activation, Tensor>(network, options, {
    keep: parameters.keep,
    learns: parameters.learns,
    begin: build.begin,
    observe: (y) => keepAlive(y.tensor),
    add: (layer, x, position) => addLayers(layer, x, { ...position, build, parameters, batchSize, training, inputs }),
  });

  /** Where the batch's pictures lie, for programs that look at pictures. */
  const pictures =
    walk.before.length > 0 ? undefined : build.tensor(batchSize * pictureWords(preprocessing), { kept: true });
  const input =
    pictures === undefined
      ? addActivations(build, walk.before, batchSize)
      : addInput(build, { batchSize, size: network.input.size }, preprocessing, inputs, pictures);
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
  if (loss !== undefined) addUpdate(build, parameters, inputs, loss.result);
  return { build, parameters, inputs, pictures, input, classes, probabilities, loss, walk, inputGradient };
}

/** The input of a program that begins after a layer: each batch brings it, no operation writes it. */
function addActivations(build: Build, before: Walk<Activation, Tensor>["before"], batchSize: number): Activation {
  const shape = before[before.length - 1].output;
  return { tensor: build.tensor(batchSize * volume(shape), { kept: true }), shape };
}

/** Until the next batch. */
function keepAlive({ block }: Tensor): void {
  block.kept = true;
}
