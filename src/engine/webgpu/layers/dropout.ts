import type { Dropout } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import { Purpose } from "../../../random.js";
import { dropoutKeys } from "../../program/dropout-mask.js";
import { partOf, type Range } from "../build.js";
import type { Dispatch, Tensor } from "../dispatch.js";
import type { Activation, Context, Stage } from "../layer.js";
import { each, float } from "../wgsl.js";

/**
 * Without a stored mask: a unit's fate is a pure function of seed, layer, sample and unit, the same as in
 * program/dropout-mask.ts; the shader draws as random.ts does. Only in training.
 */
export function dropout({ name, kind, rate }: Dropout, x: Activation, context: Context): Stage {
  if (!context.training || rate === 0) return { y: x, backward: (dy) => dy };
  const { build, batchSize, inputs } = context;
  const units = volume(x.shape);
  const { dropped, kept } = dropoutKeys(rate, 0, 0, 0); // these two are of the rate alone
  const functions = `
fn mix(value: u32) -> u32 {
  var h = (value ^ (value >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}
fn append(h: u32, key: u32) -> u32 { return mix((h * 5u + 0xe6546b64u) ^ key); }
fn draw(sample: u32, which: u32) -> u32 {
  let seed = step_seed();
  var h = append(0x9e3779b9u, seed.x);
  if (seed.y != 0u && seed.y != 0xffffffffu) { h = mix(h ^ seed.y); }
  return mix(append(append(append(append(h, ${Purpose.dropout}u), ${context.index}u), sample), which));
}`;
  const body = ({ first }: Range, from: string, to: string): string => `
  let sample = step_first_sample() + ${first}u + index / ${units}u;
  var value = ${from}[index];
  if (step_learns()) {
    let place = draw(sample, 0u) + index % ${units}u * (draw(sample, 1u) | 1u);
    value = select(value * ${float(kept)}, 0.0f, mix(place) < ${dropped}u);
  }
  ${to}[index] = value;`;
  const drop = (part: Range, from: Tensor, to: Tensor): Dispatch => {
    const [read, written] = from === to ? ["to", "to"] : ["from_", "to"];
    const { code, workgroups } = each(part.count * units, body(part, read, written));
    const bindings = {
      inputs: inputs.tensor,
      ...(from !== to && { from_: partOf(from, part, units) }),
      to: partOf(to, part, units),
    };
    return { bindings, formats: { inputs: "u32" }, code: `${inputs.wgsl}${functions}${code}`, workgroups };
  };
  const parts = build.parts(name, batchSize, [units]);
  const y = build.tensor(x.tensor.length);
  build.add(
    { layer: name, kind, direction: "forward" },
    "dropout",
    parts.map((part) => drop(part, x.tensor, y)),
  );
  return {
    y: { ...x, tensor: y },
    backward(dy) {
      build.add(
        { layer: name, kind, direction: "backward-data" },
        "dropout",
        parts.map((part) => drop(part, dy, dy)),
      );
      return dy;
    },
  };
}
