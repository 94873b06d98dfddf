import type { Network } from "../../network/network.js";
import { parameterTable } from "../../network/parameters.js";
import { pictureBytes, pictureSizeOf } from "../../network/picture.js";
import { inferShapes } from "../../network/shapes.js";
import { classCount } from "../../network/transform.js";
import type { CompileOptions } from "../engine.js";
import { Build, type Tensor } from "./build.js";
import { ControlBlock } from "./controls.js";
import type { Gpu } from "./gpu.js";
import { addInput } from "./input.js";
import type { Activation, Stage } from "./layer.js";
import { addLayers } from "./layers.js";
import { addLoss, addSoftmax } from "./loss.js";
import { Parameters } from "./parameters.js";
import { addUpdate } from "./update.js";

/** The next batch comes to one while the other is worked on. */
const SLOTS = [0, 1] as const;

export type Plan = ReturnType<typeof planProgram>;

/** A network as operations in order, with the memory between them planned but not allocated. */
export function planProgram(gpu: Gpu, network: Network, options: CompileOptions) {
  const { batchSize, multipliers, after, observe = [], inputGradient = false, algorithms } = options;
  const training = options.mode === "train";
  const build = new Build(gpu, algorithms);
  const parameters = new Parameters(build, parameterTable(network), training, multipliers);
  const controls = new ControlBlock(build, batchSize);
  const { layers } = network;
  const shaped = inferShapes(network);
  const first = layers.findIndex(({ name }) => name === after) + 1;
  for (const { name } of layers.slice(0, first)) parameters.keep(name);

  /** Where batches' pictures lie, in turn, for programs that look at pictures. */
  const pictures = SLOTS.map(() =>
    first === 0
      ? build.tensor((batchSize * pictureBytes(pictureSizeOf(options.preprocessing))) / 4, {
          format: "float32",
          kept: true,
        })
      : undefined,
  );
  const input: Activation =
    pictures[0] === undefined
      ? beginning(build, shaped[first].input, batchSize)
      : addInput(build, batchSize, network.input.size, layers[0], options.preprocessing, controls, pictures[0]);
  let y = input;
  let wanted = inputGradient; // whether gradients are, as far down as the layer's input
  const stages: Stage[] = [];
  const observed = new Map<string, Activation>();
  for (let index = first; index < layers.length; ) {
    const { stage, count } = addLayers(layers[index], y, {
      ...{ build, parameters, batchSize, training, index, controls: controls.tensor },
      following: unobserved(layers, index, observe),
      last: index === layers.length - 1,
      needsInputGradient: wanted,
    });
    wanted ||= parameters.learns(layers[index].name);
    stages.push(stage);
    y = stage.y;
    index += count;
    const { name } = layers[index - 1];
    if (observe.includes(name)) observed.set(name, kept(y));
  }
  const classes = classCount(network);
  const forwardCount = build.count;
  const probabilities = addSoftmax(build, y.tensor, classes);
  const loss = training ? addLoss(build, y.tensor, controls.labels, controls.tensor, classes) : undefined;
  let dy: Tensor | undefined = wanted ? loss?.dlogits : undefined;
  for (const stage of stages.reverse()) dy = dy && stage.backward(dy);
  /** The gradient of the input, where it is wanted. */
  const slope = inputGradient && dy ? kept({ ...input, tensor: dy }) : undefined;
  if (loss !== undefined) addUpdate(build, parameters, controls.tensor, loss.result);
  return {
    ...{ build, parameters, controls, pictures, input, classes, probabilities, loss, observed, slope },
    /** Operations of the forward pass; the one after them is the softmax of predictions. */
    forwardCount,
  };
}

/** The input of a program that begins after a layer: each batch brings it, no operation writes it. */
function beginning(build: Build, shape: Activation["shape"], batchSize: number): Activation {
  const { channels, height, width } = shape;
  return { tensor: build.tensor(batchSize * channels * height * width, { kept: true }), shape, rectified: false };
}

/** The layers after `index` up to and with the next one that is observed; none when it is observed itself. */
function unobserved(layers: Network["layers"], index: number, observe: readonly string[]): Network["layers"] {
  const end = layers.findIndex((layer, i) => i >= index && observe.includes(layer.name));
  return end === -1 ? layers.slice(index + 1) : layers.slice(index + 1, end + 1);
}

/** Alive until the next batch. */
function kept(activation: Activation): Activation {
  activation.tensor.block.kept = true;
  return activation;
}
