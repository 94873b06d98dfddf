import type { Workgroups } from "./dispatch.js";

/** Pieces of WGSL that several shaders have in common. */

/** Invocations of a workgroup, for shaders that don't care. */
const GROUP = 64;

/** Workgroups of one dimension that any adapter takes. */
export const MOST_GROUPS = 65_535;

/** A dispatch of `count` invocations; `body` is what number `index` does. */
export function each(count: number, body: string): { readonly code: string; readonly workgroups: Workgroups } {
  const groups = Math.ceil(count / GROUP);
  const x = Math.min(groups, MOST_GROUPS);
  const code = `
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x + id.y * ${x * GROUP}u;
  if (index >= ${count}u) { return; }
  ${body}
}`;
  return { code, workgroups: [x, Math.ceil(groups / x), 1] };
}

/** A float constant. */
export function float(value: number): string {
  const text = String(Math.fround(value));
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}

/** Invocations that put their values together. */
export const REDUCING = 64;

/** What all invocations' values come to by `combine`, in an order that never varies: `name`(value, invocation). */
export function reduction(name: string, type: "f32" | "u32", combine: string): string {
  return `
var<workgroup> ${name}_values: array<${type}, ${REDUCING}>;
fn ${name}(value: ${type}, lane: u32) -> ${type} {
  workgroupBarrier();
  ${name}_values[lane] = value;
  for (var half = ${REDUCING / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      let a = ${name}_values[lane];
      let b = ${name}_values[lane + half];
      ${name}_values[lane] = ${combine};
    }
  }
  workgroupBarrier();
  return ${name}_values[0];
}`;
}

/** Whether a float is neither infinite nor NaN; by its bits, as shaders may assume that there is no NaN. */
export const FINITE = `
fn is_finite(value: f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }`;
