import type { Tanh } from "../../../network/network.js";
import { partOf } from "../build.js";
import type { Activation, Context, Stage } from "../layer.js";
import { each } from "../wgsl.js";

/** By exponentials, and near 0, where they cancel out, by its series: WGSL's own may be off by 1e-5. */
const TANH = `
fn exact_tanh(x: f32) -> f32 {
  let e = exp(-2.0f * abs(x));
  let far = sign(x) * (1.0f - e) / (1.0f + e);
  let s = x * x;
  let near = x * (1.0f - s * (1.0f / 3.0f - s * (2.0f / 15.0f - s * (17.0f / 315.0f))));
  return select(far, near, abs(x) < 0.25f);
}`;

export function tanh({ name, kind }: Tanh, x: Activation, context: Context): Stage {
  const { build, batchSize } = context;
  const y = build.tensor(x.tensor.length);
  const volume = y.length / batchSize;
  const parts = build.parts(name, batchSize, [volume]);
  build.add(
    { layer: name, kind, direction: "forward" },
    "tanh",
    parts.map((part) => {
      const { code, workgroups } = each(part.count * volume, "y[index] = exact_tanh(x[index]);");
      const bindings = { x: partOf(x.tensor, part, volume), y: partOf(y, part, volume) };
      return { bindings, code: `${TANH}${code}`, workgroups };
    }),
  );
  return {
    y: { ...x, tensor: y },
    backward(dy) {
      build.add(
        { layer: name, kind, direction: "backward-data" },
        "tanh",
        parts.map((part) => ({
          bindings: { y: partOf(y, part, volume), dy: partOf(dy, part, volume) },
          ...each(part.count * volume, "dy[index] *= 1.0f - y[index] * y[index];"),
        })),
      );
      return dy;
    },
  };
}
