import type { Batch } from "../../network/picture.js";

/** A class for each sample, and what its loss counts; 1 where there are no weights. */
type Targets = Pick<Batch, "labels" | "weights">;

/** Softmax of each row of (samples, classes). */
export function softmax(logits: Float64Array, probabilities: Float64Array, samples: number, classes: number): void {
  for (let sample = 0; sample < samples; sample++) {
    const row = rowOf(logits, sample, classes);
    const total = logSumExp(row);
    for (let i = 0; i < classes; i++) probabilities[sample * classes + i] = Math.exp(row[i] - total);
  }
}

/** The sum over the samples of -weight log softmax(logits)[label], in nats, by `divisor`: the mean by default. */
export function crossEntropy(
  logits: Float64Array,
  { labels, weights }: Targets,
  samples: number,
  classes: number,
  divisor = samples,
): number {
  let sum = 0;
  for (let sample = 0; sample < samples; sample++) {
    const row = rowOf(logits, sample, classes);
    sum += (weights?.[sample] ?? 1) * (logSumExp(row) - row[labels[sample]]);
  }
  return sum / divisor;
}

/** Gradient of `crossEntropy` by the logits: weight (softmax - one-hot) / divisor. */
export function crossEntropyGradient(
  probabilities: Float64Array,
  { labels, weights }: Targets,
  dlogits: Float64Array,
  samples: number,
  classes: number,
  divisor = samples,
): void {
  for (let sample = 0; sample < samples; sample++)
    for (let i = 0; i < classes; i++) {
      const at = sample * classes + i;
      dlogits[at] = ((weights?.[sample] ?? 1) * (probabilities[at] - (i === labels[sample] ? 1 : 0))) / divisor;
    }
}

/** Gradient of each sample's score, the label's logit less the mean of all, by the logits: one-hot - 1 / classes. */
export function scoreGradient(labels: Int32Array, dlogits: Float64Array, classes: number): void {
  for (const [sample, label] of labels.entries()) {
    dlogits.fill(-1 / classes, sample * classes, (sample + 1) * classes);
    dlogits[sample * classes + label] += 1;
  }
}

/** Samples whose label's logit is above every other. */
export function countCorrect(logits: Float64Array, labels: Int32Array, samples: number, classes: number): number {
  let correct = 0;
  for (let sample = 0; sample < samples; sample++) {
    const row = rowOf(logits, sample, classes);
    const own = row[labels[sample]];
    if (row.every((logit, i) => i === labels[sample] || logit < own)) correct++;
  }
  return correct;
}

function rowOf(values: Float64Array, sample: number, classes: number): Float64Array {
  return values.subarray(sample * classes, (sample + 1) * classes);
}

/** log of the sum of exponentials, without overflow: the largest is taken out first. */
function logSumExp(row: Float64Array): number {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
