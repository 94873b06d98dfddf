import { type Frame, floatsAt, type Place } from "./memory.js";

/** What the loss of a step depends on, in its frame: then, for each sample, what it is judged by. */
export const Judging = { purpose: 0, divisor: 1, samples: 2, targets: 3 } as const;
export const Target = { label: 0, weight: 1, length: 2 } as const;
export const purposes = { learning: 0, scoring: 1, predicting: 2 } as const;

/** What each sample gives back: its loss times its weight, and whether its label has the highest logit. */
export const Judged = { loss: 0, correct: 1, length: 2 } as const;

interface LossConstants {
  readonly classes: number;
  readonly logits: Place;
  /** Probabilities, or the gradient of the logits. */
  readonly outputs: Place;
  readonly frame: Frame;
  /** `Judged.length` numbers a sample. */
  readonly judged: Frame;
}

/**
 * One sample's row of (batch, classes): softmax when predicting; when learning weight (softmax - one-hot) / divisor; when
 * scoring the gradient of the label's logit less the mean of all. Zeros for samples that the batch lacks.
 */
export function loss({ classes, logits, outputs, frame, judged }: LossConstants): (sample: number) => void {
  const [from, to] = [logits, outputs].map(floatsAt);
  return (sample) => {
    const start = sample * classes;
    const row = to.subarray(start, start + classes);
    if (sample >= frame[Judging.samples]) {
      row.fill(0);
      return;
    }
    const target = Judging.targets + sample * Target.length;
    const label = frame[target + Target.label];
    const own = from.subarray(start, start + classes);
    if (frame[Judging.purpose] === purposes.predicting) softmaxRow(own, row);
    else if (frame[Judging.purpose] === purposes.scoring) scoreGradientRow(label, row);
    else {
      const { loss, correct } = crossEntropyRow(own, label, row, frame[Judging.divisor], frame[target + Target.weight]);
      judged[sample * Judged.length + Judged.loss] = loss;
      judged[sample * Judged.length + Judged.correct] = Number(correct);
    }
  };
}

export function softmaxRow(logits: Float32Array, probabilities: Float32Array): void {
  let largest = logits[0];
  for (let i = 1; i < logits.length; i++) largest = Math.max(largest, logits[i]);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += probabilities[i] = Math.exp(logits[i] - largest);
  for (let i = 0; i < logits.length; i++) probabilities[i] /= sum;
}

/** one-hot - 1 / classes */
function scoreGradientRow(label: number, dlogits: Float32Array): void {
  dlogits.fill(-1 / dlogits.length);
  dlogits[label] += 1;
}

/**
 * One sample's cross-entropy times its weight, and whether its label has the highest logit. `dlogits` is overwritten:
 * weight (softmax - one-hot) / divisor.
 */
export function crossEntropyRow(
  logits: Float32Array,
  label: number,
  dlogits: Float32Array,
  divisor: number,
  weight = 1,
): { readonly loss: number; readonly correct: boolean } {
  softmaxRow(logits, dlogits);
  let largest = Number.NEGATIVE_INFINITY;
  let others = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    largest = Math.max(largest, logits[i]);
    if (i !== label) others = Math.max(others, logits[i]);
  }
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - largest);
  dlogits[label] -= 1;
  for (let i = 0; i < logits.length; i++) dlogits[i] = (weight * dlogits[i]) / divisor;
  return { loss: weight * (largest + Math.log(sum) - logits[label]), correct: logits[label] > others };
}
