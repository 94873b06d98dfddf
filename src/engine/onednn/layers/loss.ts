import type { Batch } from "../../../network/picture.js";

/** Softmax of the first `samples` rows of (batch, classes) logits. */
export function softmax(logits: Float32Array, probabilities: Float32Array, samples: number, classes: number): void {
  for (let start = 0; start < samples * classes; start += classes) {
    let largest = logits[start];
    for (let i = 1; i < classes; i++) largest = Math.max(largest, logits[start + i]);
    let sum = 0;
    for (let i = 0; i < classes; i++) sum += probabilities[start + i] = Math.exp(logits[start + i] - largest);
    for (let i = 0; i < classes; i++) probabilities[start + i] /= sum;
  }
}

/**
 * The gradient of each sample's score, the label's logit less the mean of all, by the logits: one-hot - 1 / classes, and
 * zeros for samples without label. `dlogits`, (batch, classes), is overwritten.
 */
export function scoreGradient(labels: Int32Array, dlogits: Float32Array, classes: number): void {
  dlogits.fill(-1 / classes, 0, labels.length * classes);
  dlogits.fill(0, labels.length * classes);
  for (const [sample, label] of labels.entries()) dlogits[sample * classes + label] += 1;
}

/**
 * The cross-entropies' sum over the samples that `labels` has, each times its weight, divided by `divisor`, their mean by
 * default, and how many samples have the highest logit at their label. `dlogits`, (batch, classes), is overwritten:
 * weight (softmax - one-hot) / divisor, and zeros for samples without label.
 */
export function crossEntropy(
  logits: Float32Array,
  { labels, weights }: Pick<Batch, "labels" | "weights">,
  dlogits: Float32Array,
  classes: number,
  divisor = labels.length,
): { readonly loss: number; readonly correct: number } {
  const samples = labels.length;
  softmax(logits, dlogits, samples, classes);
  let loss = 0;
  let correct = 0;
  for (let sample = 0; sample < samples; sample++) {
    const start = sample * classes;
    const target = start + labels[sample];
    let largest = Number.NEGATIVE_INFINITY;
    let others = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let i = start; i < start + classes; i++) {
      largest = Math.max(largest, logits[i]);
      if (i !== target) others = Math.max(others, logits[i]);
    }
    for (let i = start; i < start + classes; i++) sum += Math.exp(logits[i] - largest);
    const weight = weights === undefined ? 1 : weights[sample];
    loss += weight * (largest + Math.log(sum) - logits[target]);
    if (logits[target] > others) correct++;
    dlogits[target] -= 1;
    for (let i = start; i < start + classes; i++) dlogits[i] = (weight * dlogits[i]) / divisor;
  }
  dlogits.fill(0, samples * classes);
  return { loss: loss / divisor, correct };
}
