import { Turns } from "../../system/threads/turns.js";
import type { ComputeEngine, ComputeProgram } from "../compute.js";
import type { Engine, Program } from "../engine.js";

/**
 * `engine` with its calls, and those of its programs, carried out in the order they are made, one after the other, also
 * when it answers later. Only batches may overlap, as many of one program as it says.
 */
export function inOrder(engine: ComputeEngine): Engine {
  const turns = new Turns();
  return {
    description: engine.description,
    choice: engine.choice,
    compile: (network, options) =>
      turns.take(async () => programInOrder(await engine.compile(network, options), turns)),
    estimateMemory: (network, options) => turns.take(() => engine.estimateMemory(network, options)),
    differentiate: (layer, inputs) => turns.take(() => engine.differentiate(layer, inputs)),
    crossEntropy: (...given) => turns.take(() => engine.crossEntropy(...given)),
    multiply: (a, b, length) => turns.take(() => engine.multiply(a, b, length)),
    measureMatrixRate: (size) => turns.take(() => engine.measureMatrixRate(size)),
    measureCopyRate: (bytes) => turns.take(() => engine.measureCopyRate(bytes)),
    close: () => turns.take(() => engine.close()),
  };
}

function programInOrder(program: ComputeProgram, turns: Turns): Program {
  const { batchSize, memoryBytes, algorithms, buckets, batchesAtOnce = 1 } = program;
  const batches = { of: program, most: batchesAtOnce };
  return {
    batchSize,
    memoryBytes,
    algorithms,
    reserve: (count) => turns.take(() => program.reserve?.(count) ?? 0),
    hold: (pictures) => turns.take(() => program.hold?.(pictures)),
    step: (batch, options) => turns.take(() => program.step(batch, options), batches),
    buckets,
    forward: (batch, options) => turns.take(() => program.forward(batch, options), batches),
    backward: (bucket) => turns.take(() => program.backward(bucket), batches),
    update: (options) => turns.take(() => program.update(options), batches),
    predict: (batch) => turns.take(() => program.predict(batch), batches),
    profile: (batch, options, steps) => turns.take(() => program.profile(batch, options, steps)),
    activation: (layer) => turns.take(() => program.activation(layer)),
    scoreGradient: (batch) => turns.take(() => program.scoreGradient(batch)),
    inputGradient: () => turns.take(() => program.inputGradient()),
    read: (state) => turns.take(() => program.read(state)),
    write: (state, values) => turns.take(() => program.write(state, values)),
    close: () => turns.take(() => program.close()),
  };
}
