import type { Convolution } from "../../../network/network.js";
import { volume } from "../../../network/shapes.js";
import type { OperationInfo } from "../../program/operations.js";
import { partOf, type Range } from "../build.js";
import type { Tensor } from "../dispatch.js";
import type { Activation, Context, Stage } from "../layer.js";
import { addBiasGradient } from "./bias.js";
import { addUp, algorithmsFor, type Product, partsOfSum } from "./product.js";
import { rectified } from "./relu.js";
import { weightedStage } from "./weighted-stage.js";

/**
 * Convolution as products of matrices that are never made (see product.ts). For each direction a table says what step k of
 * the sum adds to the places in both operands: (step in a, step in b, row, column), the last two to tell padding.
 *
 *     forward            filters x pixels            sum over channels, rows and columns of the filter
 *     backward-data      channels x input pixels     sum over filters, rows and columns of the filter
 *     backward-weights   filters x taps              sum over samples and pixels
 */
export function convolution(layer: Convolution, x: Activation, context: Context): Stage {
  const { build, batchSize, parameters, output } = context;
  const { name, kind, filters, size, stride, padding, groups } = layer;
  const { channels, height, width } = x.shape;
  const [pixels, inputPixels, taps] = [output.height * output.width, height * width, size * size];
  const [ownChannels, ownFilters] = [channels / groups, filters / groups];
  const weights = parameters.place(`${name}.weight`);
  const bias = parameters.place(`${name}.bias`);
  const rectify = context.following[0]?.kind === "relu";
  const y = build.tensor(batchSize * filters * pixels);
  const flopsPerSample = 2 * filters * pixels * ownChannels * taps;
  const { software } = build.gpu.facts;
  const shape = `${channels}x${height}x${width} by ${JSON.stringify({ filters, size, stride, padding, groups })} of ${batchSize}`;
  const info = (direction: OperationInfo["direction"]): OperationInfo => ({
    layer: name,
    kind,
    direction,
    flops: flopsPerSample * batchSize,
  });
  const [inVolume, outVolume] = [volume(x.shape), filters * pixels];
  const parts = build.parts(name, batchSize, [inVolume, outVolume], flopsPerSample);
  const table = (length: number, entry: (k: number) => readonly [number, number, number, number]): Tensor =>
    build.constant(Uint32Array.from({ length: 4 * length }, (_, i) => entry(Math.floor(i / 4))[i % 4]));
  const formats = { steps: "vec4<u32>" } as const;

  /** The structs of all three: places in the operands. */
  const structs = `
struct Row { at: u32 }
struct Depth { a: u32, b: u32, row: u32, column: u32 }
struct Column { at: u32, row: u32, column: u32 }`;
  const inside = (rows: number, columns: number) => `
  let inside = c.row + d.row < ${rows}u && c.column + d.column < ${columns}u; // before the first it wraps around`;

  const forwardSteps = table(ownChannels * taps, (k) => {
    const [channel, row, column] = [Math.floor(k / taps), Math.floor(k / size) % size, k % size];
    return [k, (channel * height + row) * width + column, row, column];
  });
  const forward = (part: Range): Product => ({
    rows: ownFilters,
    columns: part.count * pixels,
    inner: ownChannels * taps,
    products: groups,
    bindings: {
      weights: weights.value,
      bias: bias.value,
      x: partOf(x.tensor, part, inVolume),
      steps: forwardSteps,
      y: partOf(y, part, outVolume),
    },
    formats,
    code: `${structs}
fn row(z: u32, m: u32) -> Row { return Row((z * ${ownFilters}u + m) * ${ownChannels * taps}u); }
fn depth(z: u32, o: u32, k: u32) -> Depth { let s = steps[k]; return Depth(s.x, s.y, s.z, s.w); }
fn column(z: u32, n: u32) -> Column {
  let pixel = n % ${pixels}u;
  let top = pixel / ${output.width}u * ${stride}u - ${padding}u;
  let left = pixel % ${output.width}u * ${stride}u - ${padding}u;
  let map = n / ${pixels}u * ${channels}u + z * ${ownChannels}u;
  return Column(map * ${inputPixels}u + top * ${width}u + left, top, left);
}
fn a(r: Row, d: Depth) -> f32 { return weights[r.at + d.a]; }
fn b(c: Column, d: Depth) -> f32 {${
      padding === 0
        ? " return x[c.at + d.b]; }"
        : `${inside(height, width)}
  return select(0.0f, x[select(0u, c.at + d.b, inside)], inside);
}`
    }
fn store(z: u32, m: u32, n: u32, value: f32) {
  let filter_ = z * ${ownFilters}u + m;
  let sum = value + bias[filter_];
  y[(n / ${pixels}u * ${filters}u + filter_) * ${pixels}u + n % ${pixels}u] = ${rectify ? rectified("sum") : "sum"};
}`,
  });
  build.addQuickest(info("forward"), `convolution forward ${shape}`, algorithmsFor(parts.map(forward), software));

  const backwardWeights = (dy: Tensor): void => {
    const [dw, db] = [weights.gradient, bias.gradient];
    if (dw === undefined || db === undefined) return;
    addBiasGradient(build, info("backward-weights"), dy, db, { batchSize, channels: filters, pixels });
    const columns = ownChannels * taps;
    // Parts of the sum: at least those that bindings and dispatches want.
    const sums = parts.flatMap((part) => {
      const count = Math.ceil(partsOfSum(ownFilters * groups, columns, batchSize) / parts.length);
      return { part, count: Math.min(count, part.count) };
    });
    const total = sums.reduce((sum, { count }) => sum + count, 0);
    const partial = total === 1 ? dw : build.tensor(total * dw.length);
    const steps = table(pixels, (k) => {
      const [top, left] = [Math.floor(k / output.width) * stride, (k % output.width) * stride];
      return [k, top * width + left, top, left];
    });
    let before = 0;
    const products = sums.map(({ part, count }): Product => {
      const samples = Math.ceil(part.count / count);
      const offset = before * dw.length;
      before += count;
      return {
        rows: ownFilters,
        columns,
        outer: samples,
        inner: pixels,
        products: groups * count,
        bindings: {
          x: partOf(x.tensor, part, inVolume),
          dy: partOf(dy, part, outVolume),
          steps,
          dw: partial,
        },
        formats,
        code: `${structs}
fn row(z: u32, m: u32) -> Row { return Row((z / ${count}u * ${ownFilters}u + m) * ${pixels}u); }
fn depth(z: u32, o: u32, k: u32) -> Depth {
  let sample = z % ${count}u * ${samples}u + o;
  if (sample >= ${part.count}u) { return Depth(NOWHERE, 0u, NOWHERE, 0u); }
  let s = steps[k];
  return Depth(sample * ${outVolume}u + s.x, sample * ${inVolume}u + s.y, s.z, s.w);
}
fn column(z: u32, n: u32) -> Column {
  let row = n / ${size}u % ${size}u - ${padding}u;
  let column = n % ${size}u - ${padding}u;
  let map = z / ${count}u * ${ownChannels}u + n / ${taps}u;
  return Column(map * ${inputPixels}u + row * ${width}u + column, row, column);
}
const NOWHERE = 0x40000000u; // beyond every map: parts of the sum may have unequal shares
fn a(r: Row, d: Depth) -> f32 { return select(dy[select(0u, r.at + d.a, d.a != NOWHERE)], 0.0f, d.a == NOWHERE); }
fn b(c: Column, d: Depth) -> f32 {${inside(height, width)}
  return select(0.0f, x[select(0u, c.at + d.b, inside)], inside);
}
fn store(z: u32, m: u32, n: u32, value: f32) {
  dw[${offset}u + z % ${count}u * ${dw.length}u + (z / ${count}u * ${ownFilters}u + m) * ${columns}u + n] = value;
}`,
      };
    });
    const algorithms = algorithmsFor(products, software).map(({ implementation, dispatches }) => ({
      implementation,
      dispatches: total === 1 ? dispatches : [...dispatches, addUp(partial, dw, total)],
    }));
    build.addQuickest(info("backward-weights"), `convolution backward-weights ${shape}`, algorithms);
  };

  const backwardData = (dy: Tensor): Tensor => {
    const dx = build.tensor(batchSize * inVolume);
    const steps = table(ownFilters * taps, (k) => {
      const [filter, row, column] = [Math.floor(k / taps), Math.floor(k / size) % size, k % size];
      const back = stride === 1 ? row * output.width + column : 0;
      return [filter * ownChannels * taps + (k % taps), (filter * pixels - back) >>> 0, -row >>> 0, -column >>> 0];
    });
    const products = parts.map(
      (part): Product => ({
        rows: ownChannels,
        columns: part.count * inputPixels,
        inner: ownFilters * taps,
        products: groups,
        bindings: {
          weights: weights.value,
          dy: partOf(dy, part, outVolume),
          steps,
          dx: partOf(dx, part, inVolume),
        },
        formats,
        code: `${structs}
fn row(z: u32, m: u32) -> Row { return Row((z * ${ownFilters * ownChannels}u + m) * ${taps}u); }
fn depth(z: u32, o: u32, k: u32) -> Depth { let s = steps[k]; return Depth(s.x, s.y, s.z, s.w); }
fn column(z: u32, n: u32) -> Column {
  let pixel = n % ${inputPixels}u;
  let row = pixel / ${width}u + ${padding}u;
  let column = pixel % ${width}u + ${padding}u;
  let map = (n / ${inputPixels}u * ${filters}u + z * ${ownFilters}u) * ${pixels}u;
  return Column(map${stride === 1 ? ` + row * ${output.width}u + column` : ""}, row, column);
}
fn a(r: Row, d: Depth) -> f32 { return weights[r.at + d.a]; }
fn b(c: Column, d: Depth) -> f32 {${
          stride === 1
            ? inside(output.height, output.width)
            : `
  let row = (c.row + d.row) / ${stride}u;
  let column = (c.column + d.column) / ${stride}u;
  let inside = row < ${output.height}u && column < ${output.width}u &&
    row * ${stride}u == c.row + d.row && column * ${stride}u == c.column + d.column;`
        }
  let at = c.at + d.b${stride === 1 ? "" : ` + row * ${output.width}u + column`};
  return select(0.0f, dy[select(0u, at, inside)], inside);
}
fn store(z: u32, m: u32, n: u32, value: f32) {
  dx[(n / ${inputPixels}u * ${channels}u + z * ${ownChannels}u + m) * ${inputPixels}u + n % ${inputPixels}u] = value;
}`,
      }),
    );
    build.addQuickest(info("backward-data"), `convolution backward-data ${shape}`, algorithmsFor(products, software));
    return dx;
  };

  return weightedStage(context, { name, y: { tensor: y, shape: output }, rectify, backwardWeights, backwardData });
}
