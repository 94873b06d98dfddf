import type { Build } from "../build.js";
import type { Tensor } from "../dispatch.js";
import type { StepInputBlock } from "../step-inputs.js";
import { MOST_GROUPS, REDUCING, reduction } from "../wgsl.js";

/** Words of a step's results: the loss, and how many answers were right, or among the first five. */
export const RESULT_WORDS = 3;

const forward = { layer: "loss", kind: "loss", direction: "forward" } as const;

/** A row's largest logit, and the sum of exp(logit - largest), by all invocations of a workgroup. */
const measure = (classes: number) => `${reduction("largest", "f32", "max(a, b)")}
${reduction("total", "f32", "a + b")}
${reduction("count", "u32", "a + b")}
const CLASSES = ${classes}u;
fn measure(start: u32, lane: u32) -> vec2f {
  var most = logits[start];
  for (var i = lane; i < CLASSES; i += ${REDUCING}u) { most = max(most, logits[start + i]); }
  most = largest(most, lane);
  var sum = 0.0f;
  for (var i = lane; i < CLASSES; i += ${REDUCING}u) { sum += exp(logits[start + i] - most); }
  return vec2f(most, total(sum, lane));
}`;

/** A workgroup a sample; `body` knows `sample`, `start` and `lane`. */
function eachSample(samples: number, body: string) {
  const across = Math.min(samples, MOST_GROUPS);
  return {
    workgroups: [across, Math.ceil(samples / across), 1] as const,
    main: `
@compute @workgroup_size(${REDUCING})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sample = min(group.x + group.y * ${across}u, ${samples - 1}u); // beyond the last its work is done again
  let start = sample * CLASSES;
  ${body}
}`,
  };
}

/** Adds softmax alone: (batch, classes). */
export function addSoftmax(build: Build, logits: Tensor, classes: number): Tensor {
  const probabilities = build.tensor(logits.length, { kept: true });
  const { workgroups, main } = eachSample(
    logits.length / classes,
    `let row = measure(start, lane);
  for (var i = lane; i < CLASSES; i += ${REDUCING}u) { probabilities[start + i] = exp(logits[start + i] - row.x) / row.y; }`,
  );
  const bindings = { logits, probabilities };
  build.add(forward, "softmax", [{ bindings, workgroups, code: `${measure(classes)}${main}` }]);
  return probabilities;
}

/**
 * Adds mean cross-entropy of weighted samples, its gradient and the count of right answers.
 * dlogits: weight (softmax - one-hot) / divisor, or one-hot - 1 / classes when scoring; zeros for samples the batch lacks.
 */
export function addLoss(build: Build, logits: Tensor, inputs: StepInputBlock, classes: number) {
  const batch = logits.length / classes;
  const dlogits = build.tensor(logits.length);
  const losses = build.tensor(batch);
  const ranks = build.tensor(batch);
  const result = build.tensor(RESULT_WORDS, { kept: true });
  const { workgroups, main } = eachSample(
    batch,
    `let row = measure(start, lane);
  let label = sample_label(sample);
  let own = logits[start + label];
  let weight = sample_weight(sample);
  let here = sample < step_samples();
  var above = 0u; // logits that are not below the label's: NaN is never right
  for (var i = lane; i < CLASSES; i += ${REDUCING}u) {
    let logit = logits[start + i];
    let expected = select(0.0f, 1.0f, i == label);
    let gradient = weight * (exp(logit - row.x) / row.y - expected) / step_divisor();
    dlogits[start + i] = select(0.0f, select(gradient, expected - ${1 / classes}f, step_scores()), here);
    if (i != label && !(logit < own)) { above++; }
  }
  let rank = count(above, lane);
  if (lane == 0u) {
    losses[sample] = select(0.0f, weight * (row.x + log(row.y) - own), here);
    ranks[sample] = select(CLASSES, rank, here && own == own);
  }`,
  );
  const tensors = { inputs: inputs.tensor, logits, dlogits, losses, ranks };
  const formats = { inputs: "u32", ranks: "u32", result: "u32" } as const;
  build.add(forward, "loss", [
    { bindings: tensors, formats, workgroups, code: `${inputs.wgsl}${measure(classes)}${main}` },
    {
      bindings: { inputs: inputs.tensor, losses, ranks, result },
      formats,
      workgroups: [1, 1, 1],
      code: `${inputs.wgsl}${reduction("total", "f32", "a + b")}${reduction("count", "u32", "a + b")}
@compute @workgroup_size(${REDUCING})
fn main(@builtin(local_invocation_index) lane: u32) {
  var loss = 0.0f;
  var right = 0u;
  var near = 0u;
  for (var i = lane; i < step_samples(); i += ${REDUCING}u) {
    loss += losses[i];
    right += select(0u, 1u, ranks[i] == 0u);
    near += select(0u, 1u, ranks[i] < ${Math.min(5, classes)}u);
  }
  loss = total(loss, lane);
  right = count(right, lane);
  near = count(near, lane);
  if (lane == 0u) {
    result[0] = bitcast<u32>(loss / step_divisor());
    result[1] = right;
    result[2] = near;
  }
}`,
    },
  ]);
  return { dlogits, result };
}

/** Out of a copy of the results. */
export function outcomeOf(copy: ArrayBuffer) {
  const view = new DataView(copy);
  return {
    loss: view.getFloat32(0, true),
    correct: view.getUint32(4, true),
    correctTop5: view.getUint32(8, true),
  };
}
