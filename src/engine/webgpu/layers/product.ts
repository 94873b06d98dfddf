import type { Algorithm, Dispatch, Tensor } from "../dispatch.js";
import type { Gpu } from "../gpu.js";
import { each, MOST_GROUPS } from "../wgsl.js";

/**
 * A product of matrices whose operands no one has made: shaders read them where they lie, by functions of the caller's.
 *
 *     c(z, m, n) = sum over o < outer and k < inner of  a(row of m, o, k) * b(column of n, o, k)
 *
 * What is known of a row or a column is computed once, before the sum. `z` numbers products of the same form: the
 * groups of a convolution, parts of a sum.
 */
export interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly outer?: number;
  readonly inner: number;
  readonly products?: number;
  readonly bindings: Readonly<Record<string, Tensor>>;
  readonly formats?: Dispatch["formats"];
  /**
   * Declares what is known of a row, of a column and of step k of the sum, of any types, and
   *
   *     fn row(z: u32, m: u32) -> Row                      fn column(z: u32, n: u32) -> Column
   *     fn depth(z: u32, o: u32, k: u32) -> Depth          fn store(z: u32, m: u32, n: u32, value: f32)
   *     fn a(r: Row, d: Depth) -> f32                      fn b(c: Column, d: Depth) -> f32
   */
  readonly code: string;
}

/** How many values of the result an invocation computes, and by which memory. */
interface Tiling {
  readonly name: string;
  /** Rows and columns of an invocation. */
  readonly rows: number;
  readonly columns: number;
  /** Invocations of a workgroup. */
  readonly across: number;
  readonly down: number;
  /** Of tiles that a workgroup shares, their depth. */
  readonly depth?: number;
}

/**
 * From the narrow to the wide. Those with a depth bring tiles of both operands into memory that the workgroup shares: what
 * hardware is made for; to an adapter that computes on the processor its barriers are dear, and caches do the same.
 */
const tilings: readonly Tiling[] = [
  { name: "4x4 an invocation", rows: 4, columns: 4, across: 8, down: 8 },
  { name: "tiles of 32x32", rows: 4, columns: 4, across: 8, down: 8, depth: 16 },
  { name: "tiles of 64x64", rows: 4, columns: 4, across: 16, down: 16, depth: 16 },
  { name: "tiles of 128x64", rows: 8, columns: 4, across: 16, down: 16, depth: 16 },
];

/**
 * The ways to compute products, the one that is taken unmeasured first.
 * @param software whether the adapter computes on the processor
 */
export function algorithmsFor(products: readonly Product[], software: boolean): readonly Algorithm[] {
  return tilings
    .filter(({ depth }) => (depth === undefined) === software)
    .map((tiling) => ({
      implementation: tiling.name,
      dispatches: products.map((product) => dispatchOf(product, tiling)),
    }));
}

function dispatchOf(product: Product, tiling: Tiling): Dispatch {
  const { rows, columns, products = 1, bindings, formats } = product;
  const [across, down] = [tiling.columns * tiling.across, tiling.rows * tiling.down];
  const [x, y] = [Math.ceil(columns / across), Math.ceil(rows / down)];
  // A dimension of workgroups has an end: columns go on in the third.
  const wide = Math.min(x, MOST_GROUPS);
  const main = tiling.depth === undefined ? directly(product, tiling) : byTiles(product, tiling, tiling.depth);
  return {
    bindings,
    formats,
    workgroups: [wide, y, products * Math.ceil(x / wide)],
    code: `${product.code}
const ROWS = ${rows}u;
const COLUMNS = ${columns}u;
const OUTER = ${product.outer ?? 1}u;
const INNER = ${product.inner}u;
${main.replaceAll("$X", `(group.x + group.z / ${products}u * ${wide}u)`).replaceAll("$Z", `group.z % ${products}u`)}`,
  };
}

/** Every invocation reads both operands itself, and keeps its part of the result in registers. */
function directly({ rows, columns }: Product, { rows: tall, columns: wide, across, down }: Tiling): string {
  const [ms, ns] = [range(tall), range(wide)];
  const guardRow = rows % (tall * down) === 0 ? () => "true" : (m: number) => `m${m} < ROWS`;
  const guardColumn = columns % (wide * across) === 0 ? () => "true" : (n: number) => `n${n} < COLUMNS`;
  // Beyond the edges the last row and column are computed again, and not stored.
  return `
@compute @workgroup_size(${across}, ${down})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let z = $Z;
  let top = (group.y * ${down}u + lane.y) * ${tall}u;
  let left = $X * ${wide * across}u + lane.x;
  ${ms.map((m) => `let m${m} = top + ${m}u; let r${m} = row(z, min(m${m}, ROWS - 1u));`).join("\n  ")}
  ${ns.map((n) => `let n${n} = left + ${n * across}u; let c${n} = column(z, min(n${n}, COLUMNS - 1u));`).join("\n  ")}
  ${ms.map((m) => ns.map((n) => `var s${m}_${n} = 0.0f;`).join(" ")).join("\n  ")}
  for (var o = 0u; o < OUTER; o++) {
    for (var k = 0u; k < INNER; k++) {
      let d = depth(z, o, k);
      ${ns.map((n) => `let b${n} = b(c${n}, d);`).join(" ")}
      ${ms.map((m) => `let a${m} = a(r${m}, d); ${ns.map((n) => `s${m}_${n} += a${m} * b${n};`).join(" ")}`).join("\n      ")}
    }
  }
  ${ms.map((m) => `if (${guardRow(m)}) { ${ns.map((n) => `if (${guardColumn(n)}) { store(z, m${m}, n${n}, s${m}_${n}); }`).join(" ")} }`).join("\n  ")}
}`;
}

/** A workgroup brings tiles of both operands into memory that it shares, four values a load, and multiplies those. */
function byTiles(product: Product, { rows: tall, columns: wide, across, down }: Tiling, depth: number): string {
  const lanes = across * down;
  const [height, width] = [tall * down, wide * across];
  const [aVectors, bVectors] = [(height / 4) * depth, (width / 4) * depth];
  const [ms, ns] = [range(tall / 4), range(wide / 4)];
  const four = (body: (i: number) => string) => range(4).map(body).join(" ");
  const whole = product.inner % depth === 0;
  const inside = whole ? "" : "if (k < INNER) ";
  return `
var<workgroup> a_tile: array<vec4f, ${aVectors}>; // (depth, rows / 4)
var<workgroup> b_tile: array<vec4f, ${bVectors}>; // (depth, columns / 4)

@compute @workgroup_size(${across}, ${down})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) lane: vec3u, @builtin(local_invocation_index) at: u32) {
  let z = $Z;
  let top = group.y * ${height}u;
  let left = $X * ${width}u;
  ${range(tall)
    .map((m) => ns.map((n) => `var s${m}_${n} = vec4f();`).join(" "))
    .join("\n  ")}
  for (var o = 0u; o < OUTER; o++) {
    for (var start = 0u; start < INNER; start += ${depth}u) {
      workgroupBarrier();
      for (var i = at; i < ${aVectors}u; i += ${lanes}u) { // neighbours in depth are neighbours in memory
        let k = start + i % ${depth}u;
        let m = i / ${depth}u * 4u;
        var value = vec4f();
        ${inside}{
          let d = depth(z, o, k);
          ${four((i) => `if (top + m + ${i}u < ROWS) { value[${i}] = a(row(z, top + m + ${i}u), d); }`)}
        }
        a_tile[i % ${depth}u * ${height / 4}u + i / ${depth}u] = value;
      }
      for (var i = at; i < ${bVectors}u; i += ${lanes}u) {
        let k = start + i / ${width / 4}u;
        let n = i % ${width / 4}u * 4u;
        var value = vec4f();
        ${inside}{
          let d = depth(z, o, k);
          ${four((i) => `if (left + n + ${i}u < COLUMNS) { value[${i}] = b(column(z, left + n + ${i}u), d); }`)}
        }
        b_tile[i] = value;
      }
      workgroupBarrier();
      for (var k = 0u; k < ${depth}u; k++) {
        ${ns.map((n) => `let b${n} = b_tile[k * ${width / 4}u + lane.x * ${wide / 4}u + ${n}u];`).join(" ")}
        ${ms
          .map((m) => {
            const load = `let a${m} = a_tile[k * ${height / 4}u + lane.y * ${tall / 4}u + ${m}u];`;
            return `${load} ${four((i) => ns.map((n) => `s${4 * m + i}_${n} += a${m}[${i}] * b${n};`).join(" "))}`;
          })
          .join("\n        ")}
      }
    }
  }
  ${range(tall)
    .map((m) => {
      const row = `top + lane.y * ${tall}u + ${m}u`;
      const stores = ns.flatMap((n) =>
        range(4).map((i) => {
          const column = `left + lane.x * ${wide}u + ${4 * n + i}u`;
          return `if (${column} < COLUMNS) { store(z, ${row}, ${column}, s${m}_${n}[${i}]); }`;
        }),
      );
      return `if (${row} < ROWS) { ${stores.join(" ")} }`;
    })
    .join("\n  ")}
}`;
}

/** Adds up `parts` of `length` values each, in order: sums[i] = parts[i] + parts[length + i] + … */
export function addUp(parts: Tensor, sums: Tensor, count: number): Dispatch {
  const { length } = sums;
  const { code, workgroups } = each(
    length,
    `var sum = parts[index];
  for (var i = 1u; i < ${count}u; i++) { sum += parts[i * ${length}u + index]; }
  sums[index] = sum;`,
  );
  return { bindings: { parts, sums }, code, workgroups };
}

/** In how many parts a sum over samples is taken, so that enough invocations have work. */
export function partsOfSum(rows: number, columns: number, samples: number): number {
  const invocations = Math.ceil(rows / 4) * Math.ceil(columns / 4);
  const most = Math.floor(MOST_PARTIAL / (rows * columns));
  return Math.max(1, Math.min(samples, most, Math.ceil(ENOUGH / invocations)));
}

/** Invocations that keep a large device busy. */
const ENOUGH = 16_384;
/** Values of all parts together. */
const MOST_PARTIAL = 1 << 24;

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** c = a b^T: (rows, length) and (columns, length) to (rows, columns). */
export function productOf(gpu: Gpu, a: Tensor, b: Tensor, c: Tensor, length: number): readonly Algorithm[] {
  const [rows, columns] = [a.length / length, b.length / length];
  const product: Product = {
    ...{ rows, columns, inner: length },
    bindings: { left: a, right: b, c },
    code: `${plainStructs}
fn row(z: u32, m: u32) -> u32 { return m * ${length}u; }
fn column(z: u32, n: u32) -> u32 { return n * ${length}u; }
fn a(r: u32, d: u32) -> f32 { return left[r + d]; }
fn b(c: u32, d: u32) -> f32 { return right[c + d]; }
fn store(z: u32, m: u32, n: u32, value: f32) { c[m * ${columns}u + n] = value; }`,
  };
  return algorithmsFor([product], gpu.facts.software);
}

/** Where places in both operands are numbers, and step k of the sum is k. */
export const plainStructs = `
fn depth(z: u32, o: u32, k: u32) -> u32 { return k; }`;
