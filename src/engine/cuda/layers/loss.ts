import type { Build, Memory, Tensor } from "../build.js";
import { BLOCK_THREADS } from "../kernels/kernels.js";
import type { StepInputBlock } from "../step-inputs.js";

/** Struct Result of loss.cu. */
export const RESULT_BYTES = 12;

const forward = { layer: "loss", kind: "loss", direction: "forward" } as const;

/** Where the step's results lie: struct Result of loss.cu. */
export interface LossTensors {
  /** (batch, classes), of `logits`; in the activations' format. */
  readonly dlogits: Tensor;
  readonly result: Memory;
}

export interface Outcome {
  readonly loss: number;
  readonly correct: number;
  readonly correctTop5: number;
}

/** Adds softmax, mean cross-entropy of weighted samples, its gradient and the count of right answers. */
export function addLoss(build: Build, logits: Tensor, inputs: StepInputBlock, classes: number): LossTensors {
  const batch = logits.length / classes;
  const losses = build.tensor(batch, { format: "float32" });
  const ranks = build.memory(4 * batch, { kept: false });
  const [arrivals, result] = [build.memory(4), build.memory(RESULT_BYTES)];
  const dlogits = build.tensor(logits.length);
  const tensors = [inputs.all, inputs.labels, inputs.weights, logits, dlogits, losses, ranks, arrivals, result];
  build.add(forward, tensors, "loss.cu", () =>
    build.gpu.kernels.get("loss", "loss", definitionsOf(classes)).prepare(
      batch,
      BLOCK_THREADS,
      tensors.map((tensor) => build.address(tensor)),
    ),
  );
  return { dlogits, result };
}

/** Adds softmax alone: (batch, classes), float32. */
export function addSoftmax(build: Build, logits: Tensor, classes: number): Tensor {
  const probabilities = build.tensor(logits.length, { format: "float32", kept: true });
  build.add(forward, [logits, probabilities], "loss.cu", () =>
    build.gpu.kernels
      .get("loss", "softmax", definitionsOf(classes))
      .prepare(logits.length / classes, BLOCK_THREADS, [build.address(logits), build.address(probabilities)]),
  );
  return probabilities;
}

/** Out of a copy of struct Result. */
export function outcomeOf(copy: DataView): Outcome {
  return {
    loss: copy.getFloat32(0, true),
    correct: copy.getInt32(4, true),
    correctTop5: copy.getInt32(8, true),
  };
}

function definitionsOf(classes: number) {
  return { CLASSES: classes, THREADS: BLOCK_THREADS };
}
