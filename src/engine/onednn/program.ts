import type { Network } from "../../network/network.js";
import { parameterTable } from "../../network/parameters.js";
import { inferShapes } from "../../network/shapes.js";
import { classCount } from "../../network/transform.js";
import type { ComputeProgram } from "../compute.js";
import type { Batch, CompileOptions } from "../engine.js";
import { Build, type Tensor } from "./build.js";
import { addInput } from "./input.js";
import { type Current, rowMajor, type Stage } from "./layer.js";
import { addLayer } from "./layers.js";
import type { Library } from "./library.js";
import { crossEntropy, softmax } from "./loss.js";
import { Parameters } from "./parameters.js";
import { profileOperations } from "./profile.js";
import { Update } from "./update.js";

const updateInfo = { layer: "update", kind: "update", direction: "update", implementation: "simple:any" } as const;
const noBatch = { pictures: new Uint8Array(), views: [], labels: new Int32Array() };

/** A network as operations in order, with the memory between them planned but not allocated. */
export function planProgram(library: Library, network: Network, options: CompileOptions) {
  const { batchSize, preprocessing, multipliers } = options;
  const training = options.mode === "train";
  const build = new Build(library);
  const parameters = new Parameters(build, parameterTable(network), training, multipliers);
  const current: Current = { batch: noBatch, seed: 0, learning: false };
  const result = { loss: 0, correct: 0 };

  let y = addInput(build, batchSize, network.input.size, preprocessing, current);
  const stages: Stage[] = [];
  let learns = false; // whether anything so far does
  for (const [index, { layer, output }] of inferShapes(network).entries()) {
    const next = network.layers[index + 1];
    const place = { build, parameters, batchSize, training, index, output, next, current };
    const stage = addLayer(layer, y, { ...place, needsInputGradient: learns });
    learns ||= parameters.learns(layer.name);
    stages.push(stage);
    y = stage.y;
  }
  const classes = classCount(network);
  const loss = { layer: "loss", kind: "loss", direction: "forward" } as const;
  const logits = rowMajor(build, y, loss);
  /** Probabilities, or when learning the gradient of the logits. */
  const outputs = build.tensor(logits.descriptor);
  build.compute(loss, [logits, outputs], () => {
    const [from, to] = [logits, outputs].map((tensor) => build.floats(tensor));
    return () => {
      if (current.learning) Object.assign(result, crossEntropy(from, current.batch.labels, to, classes));
      else softmax(from, to, current.batch.views.length, classes);
    };
  });
  const forwardCount = build.count;
  let dy: Tensor | undefined = learns ? outputs : undefined;
  for (const stage of stages.reverse()) dy = dy && stage.backward(dy);
  return { build, parameters, current, result, outputs, classes, forwardCount };
}

/** @throws AlexnetError "engine" when memory is short or the library refuses; what was made is freed. */
export function compileProgram(library: Library, network: Network, options: CompileOptions): ComputeProgram {
  const { build, parameters, current, result, outputs, classes, forwardCount } = planProgram(library, network, options);
  try {
    const operations = build.finish();
    const probabilities = build.floats(outputs);
    const update = new Update(build, parameters);
    const begin = (batch: Batch, learning: boolean, seed: number): void => {
      Object.assign(current, { batch, learning, seed });
    };
    return {
      batchSize: options.batchSize,
      memoryBytes: build.memoryBytes,
      step(batch, stepOptions) {
        begin(batch, true, stepOptions.seed);
        for (const operation of operations) operation.run();
        update.run(stepOptions);
        return { ...result };
      },
      profile(batch, stepOptions, steps) {
        begin(batch, true, stepOptions.seed);
        const last = { run: () => update.run(stepOptions), bytes: update.bytes, ...updateInfo };
        return profileOperations([...operations, last], steps);
      },
      predict(batch) {
        begin(batch, false, 0);
        for (let i = 0; i < forwardCount; i++) operations[i].run();
        return probabilities.slice(0, batch.views.length * classes);
      },
      read: (state) => parameters.read(state),
      write: (state, values) => parameters.write(state, values),
      close() {
        update.close();
        build.close();
      },
    };
  } catch (error) {
    build.close();
    throw error;
  }
}
