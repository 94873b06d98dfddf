import type { Batch } from "../../../network/picture.js";
import type { Build, Tensor } from "../build.js";
import type { Current } from "../layer.js";
import { crossEntropyRow, Judged, Judging, purposes, softmaxRow, Target } from "../rows/loss.js";
import { sharedFrame } from "../rows/memory.js";

const info = { layer: "loss", kind: "loss", direction: "forward" } as const;

/**
 * Adds what makes probabilities, or the gradient of the logits, of (batch, classes) logits.
 * @param result what a step that learns gives is written to it
 */
export function addLoss(
  build: Build,
  logits: Tensor,
  { current, batchSize, classes }: { readonly current: Current; readonly batchSize: number; readonly classes: number },
  result: { loss: number; correct: number },
): Tensor {
  const outputs = build.tensor(logits.descriptor);
  const frame = sharedFrame(Judging.targets + batchSize * Target.length);
  const judged = sharedFrame(Judged.length * batchSize);
  build.rows(info, [logits, outputs], {
    kernel: "loss",
    rows: batchSize,
    constants: (place) => ({ classes, logits: place(logits), outputs: place(outputs), frame, judged }),
    begin() {
      const { purpose, divisor, batch } = current;
      frame[Judging.purpose] = purposes[purpose];
      frame[Judging.divisor] = divisor;
      frame[Judging.samples] = batch.views.length;
      for (const [sample, label] of batch.labels.entries()) {
        const target = Judging.targets + sample * Target.length;
        frame[target + Target.label] = label;
        frame[target + Target.weight] = batch.weights === undefined ? 1 : batch.weights[sample];
      }
    },
    end() {
      const { purpose, divisor, batch } = current;
      if (purpose !== "learning") return;
      let [loss, correct] = [0, 0];
      for (let sample = 0; sample < batch.views.length; sample++) {
        loss += judged[sample * Judged.length + Judged.loss];
        correct += judged[sample * Judged.length + Judged.correct];
      }
      Object.assign(result, { loss: loss / divisor, correct });
    },
  });
  return outputs;
}

/** Softmax and mean cross-entropy of (batch, classes) logits by the code that programs use. */
export function crossEntropy(
  logits: Float32Array,
  { labels, weights }: Pick<Batch, "labels" | "weights">,
  classes: number,
) {
  const [probabilities, dlogits] = [new Float32Array(logits.length), new Float32Array(logits.length)];
  let loss = 0;
  for (const [sample, label] of labels.entries()) {
    const [own, shares, gradient] = [logits, probabilities, dlogits].map((all) =>
      all.subarray(sample * classes, (sample + 1) * classes),
    );
    softmaxRow(own, shares);
    loss += crossEntropyRow(own, label, gradient, labels.length, weights?.[sample]).loss;
  }
  return { probabilities, dlogits, loss: loss / labels.length };
}
