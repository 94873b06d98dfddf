import type { OperationInfo } from "../../program/operations.js";
import { type Build, partOf } from "../build.js";
import type { Tensor } from "../dispatch.js";
import { MOST_GROUPS, REDUCING, reduction } from "../wgsl.js";
import { addUp } from "./product.js";

/** Adds the biases' gradient: sums of dy (batch, channels, pixels) by channel, a workgroup each. */
export function addBiasGradient(
  build: Build,
  info: OperationInfo,
  dy: Tensor,
  db: Tensor,
  { batchSize, channels, pixels }: { readonly batchSize: number; readonly channels: number; readonly pixels: number },
): void {
  const volume = channels * pixels;
  const parts = build.parts(info.layer, batchSize, [volume]);
  const sums = parts.length === 1 ? db : build.tensor(parts.length * channels);
  const across = Math.min(channels, MOST_GROUPS);
  const dispatches = parts.map((part, i) => ({
    bindings: { dy: partOf(dy, part, volume), sums },
    workgroups: [across, Math.ceil(channels / across), 1] as const,
    code: `${reduction("total", "f32", "a + b")}
@compute @workgroup_size(${REDUCING})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let channel = group.x + group.y * ${across}u;
  var sum = 0.0f;
  if (channel < ${channels}u) {
    for (var sample = 0u; sample < ${part.count}u; sample++) {
      let at = (sample * ${channels}u + channel) * ${pixels}u;
      var own = 0.0f; // short sums lose less
      for (var pixel = lane; pixel < ${pixels}u; pixel += ${REDUCING}u) { own += dy[at + pixel]; }
      sum += own;
    }
  }
  let all = total(sum, lane);
  if (lane == 0u && channel < ${channels}u) { sums[${i * channels}u + channel] = all; }
}`,
  }));
  const rest = { ...info, flops: 0 };
  build.add(rest, "sums", parts.length === 1 ? dispatches : [...dispatches, addUp(sums, db, parts.length)]);
}
