import type { Convolution } from "../../../network/network.js";
import type { OperationInfo } from "../../program/operations.js";
import type { Build, Tensor } from "../build.js";
import { type Descriptor, denseBytes } from "../native/bindings.js";

/**
 * A convolution as ungrouped ones with windows of 3 x 3 at stride 1, the form that Winograd's algorithm takes.
 *
 * A larger window is several of 3 x 3 side by side, the last filled up with zeros. A 5 x 5 window is four of them:
 *
 *     a a a b b 0        a: piece 0, which sees the input as it is
 *     a a a b b 0        b: piece 1, which sees it 3 columns further to the right
 *     a a a b b 0        c: piece 2, 3 rows further down
 *     c c c d d 0        d: piece 3, both
 *     c c c d d 0
 *     0 0 0 0 0 0
 *
 * The sum over the pieces is a sum over more channels: the input's maps, once for each piece, shifted so far.
 *
 * A stride of s becomes 1 where the s x s pixels of a square count as channels of one pixel. An 11 x 11 window at stride
 * 4 over 3 channels sees 3 x 3 squares of 4 x 4 pixels, the last row and column filled up with zeros: 48 channels.
 *
 * Each group is a convolution of its own.
 */
export interface SpaceToDepth {
  readonly layer: Convolution;
  /** Of the layer's input: (batch, channels, height, width). */
  readonly dims: readonly number[];
  /** Windows of 3 x 3 along each axis. */
  readonly pieces: number;
  /** One group's (batch, channels, height, width); its channels count as (piece, channel, row and column of a square). */
  readonly src: readonly number[];
  /** One group's (filters, channels, 3, 3). */
  readonly weights: readonly number[];
  /** One group's (batch, filters, height, width). */
  readonly dst: readonly number[];
  readonly padding: number;
}

const WINDOW = 3;
/** Maps that the library's layouts keep together. */
const BLOCK = 16;

/** Undefined where the windows would be mostly zeros, or far more numbers than the layer's own. */
export function spaceToDepth(
  layer: Convolution,
  dims: readonly number[],
  output: readonly number[],
): SpaceToDepth | undefined {
  const { size, stride, padding, groups } = layer;
  const [batch, maps] = dims;
  const [, filters, height, width] = output;
  const channels = maps / groups;
  const taps = Math.ceil(size / stride);
  const pieces = Math.ceil(taps / WINDOW);
  const dst = [batch, filters / groups, height, width];
  const formOf = (channels: number, height: number, width: number, padding: number): SpaceToDepth => ({
    layer,
    dims,
    pieces,
    dst,
    padding,
    src: [batch, channels, height, width],
    weights: [filters / groups, channels, WINDOW, WINDOW],
  });
  if (size === WINDOW && stride === 1) return formOf(channels, dims[2], dims[3], padding);
  const spread = formOf(channels * pieces ** 2 * stride ** 2, height + WINDOW - 1, width + WINDOW - 1, 0);
  if (stride > 1) return taps === WINDOW && groups === 1 ? spread : undefined;
  return pieces === 2 && size > 4 && channels % BLOCK === 0 ? spread : undefined;
}

/** Whether the layer has the form already. */
export function isPlain({ layer }: SpaceToDepth): boolean {
  return layer.size === WINDOW && layer.stride === 1;
}

/** Adds what gives a group's input in this form in `layout`, each time it is called; from `made`, where it was kept. */
export function spreadInput(
  build: Build,
  form: SpaceToDepth,
  x: Tensor,
  layout: Descriptor,
  info: OperationInfo,
  made?: Tensor,
): (group: number) => Tensor {
  const { layer, dims, pieces, src } = form;
  const { groups, stride } = layer;
  const [batch, maps] = dims;
  const [, , height, width] = src;
  const channels = maps / groups;
  if (isPlain(form)) {
    if (groups === 1) return () => build.reorder(x, layout, info);
    return (group) => {
      const target = build.tensor(layout);
      build.reorderInto(build.part(x, [batch, channels, ...dims.slice(2)], [0, group * channels, 0, 0]), target, info);
      return target;
    };
  }
  if (stride > 1) {
    const all = build.reorder(made ?? squares(build, form, x, info), layout, info);
    return () => all;
  }
  const padded = pad(build, form, x, info);
  return (group) => {
    const target = build.tensor(layout);
    const piece = [batch, channels, height, width];
    for (let index = 0; index < pieces ** 2; index++)
      build.reorderInto(
        build.part(padded, piece, [0, group * channels, ...shift(form, index)]),
        build.part(target, piece, [0, index * channels, 0, 0]),
        info,
      );
    return target;
  };
}

/** Adds what gives the gradient of the layer's input, in `layout`, once every group's in this form was handed over. */
export function gatherInputGradient(build: Build, form: SpaceToDepth, layout: Descriptor, info: OperationInfo) {
  const { layer, dims, pieces, src } = form;
  const { groups, padding } = layer;
  const [batch, maps] = dims;
  const [, , height, width] = src;
  const channels = maps / groups;
  const dx = build.tensor(layout);
  if (isPlain(form)) {
    const part = (group: number): Tensor =>
      build.part(dx, [batch, channels, ...dims.slice(2)], [0, group * channels, 0, 0]);
    return { add: (group: number, own: Tensor) => build.reorderInto(own, part(group), info), finish: () => dx };
  }
  const sum = build.tensor(build.descriptor(paddedDims(form), "channels-last"));
  clear(build, sum, info);
  return {
    add(group: number, own: Tensor) {
      const piece = [batch, channels, height, width];
      for (let index = 0; index < pieces ** 2; index++)
        build.addInto(
          build.part(own, piece, [0, index * channels, 0, 0]),
          build.part(sum, piece, [0, group * channels, ...shift(form, index)]),
          info,
        );
    },
    finish() {
      build.reorderInto(build.part(sum, dims, [0, 0, padding, padding]), dx, info);
      return dx;
    },
  };
}

/** Adds what gives a group's weights in this form, row-major. `rows`: all of the layer's, row-major. */
export function spreadWeights(
  build: Build,
  form: SpaceToDepth,
  rows: Tensor,
  info: OperationInfo,
): (group: number) => Tensor {
  if (isPlain(form)) return (group) => weightsOf(build, form, rows, group);
  const spread = build.tensor(build.descriptor(allWeights(form), "row-major"));
  build.compute(info, [rows, spread], () => {
    const [from, to] = [rows, spread].map((tensor) => build.numbers(tensor));
    const places = tapPlaces(form);
    return () => {
      for (let i = 0; i < to.length; i++) to[i] = places[i] < 0 ? 0 : from[places[i]];
    };
  });
  return (group) => weightsOf(build, form, spread, group);
}

/** Where each group's gradient goes in this form, row-major; `finish` adds what gives the layer's own, row-major. */
export function gatherWeightGradient(build: Build, form: SpaceToDepth, rows: Descriptor, info: OperationInfo) {
  const spread = build.tensor(isPlain(form) ? rows : build.descriptor(allWeights(form), "row-major", "float32"));
  return {
    target: (group: number): Tensor => weightsOf(build, form, spread, group),
    finish(): Tensor {
      if (isPlain(form)) return spread;
      const own = build.tensor(rows);
      build.compute(info, [spread, own], () => {
        const [from, to] = [spread, own].map((tensor) => build.floats(tensor));
        const places = tapPlaces(form);
        return () => {
          for (let i = 0; i < from.length; i++) if (places[i] >= 0) to[places[i]] = from[i];
        };
      });
      return own;
    },
  };
}

/** The input with zeros around it, as far as the windows see. */
function pad(build: Build, form: SpaceToDepth, x: Tensor, info: OperationInfo): Tensor {
  const { layer, dims } = form;
  const { stride, padding } = layer;
  const [batch, maps, height, width] = dims;
  const [, , rows, columns] = paddedDims(form);
  const padded = build.tensor(build.descriptor(paddedDims(form), stride > 1 ? "row-major" : "channels-last"));
  clear(build, padded, info);
  // At a stride no window may see the last rows and columns.
  const part = [batch, maps, Math.min(height, rows - padding), Math.min(width, columns - padding)];
  build.reorderInto(build.part(x, part, [0, 0, 0, 0]), build.part(padded, part, [0, 0, padding, padding]), info);
  return padded;
}

function paddedDims({ layer, dims, pieces, src }: SpaceToDepth): readonly number[] {
  const more = WINDOW * (pieces - 1);
  return [dims[0], dims[1], layer.stride * (src[2] + more), layer.stride * (src[3] + more)];
}

/** Squares of pixels as channels, channels innermost. */
function squares(build: Build, form: SpaceToDepth, x: Tensor, info: OperationInfo): Tensor {
  const { layer, dims, src } = form;
  const { stride } = layer;
  const [batch, maps] = dims;
  const [, channels, height, width] = src;
  const padded = pad(build, form, x, info);
  const target = build.tensor(build.descriptor(src, "channels-last"));
  const split = [batch, maps, height, stride, width, stride];
  const row = stride * width;
  const plane = stride * height * row;
  const { strided } = build.library.bindings;
  build.reorderInto(
    { ...padded, descriptor: strided(split, [maps * plane, plane, stride * row, row, stride, 1], padded.type) },
    {
      ...target,
      descriptor: strided(
        split,
        [height * width * channels, stride ** 2, width * channels, stride, channels, 1],
        padded.type,
      ),
    },
    info,
  );
  return target;
}

/** How far below and to the right of the first a piece lies. */
function shift({ pieces }: SpaceToDepth, index: number): readonly number[] {
  return [WINDOW * Math.floor(index / pieces), WINDOW * (index % pieces)];
}

function clear(build: Build, tensor: Tensor, info: OperationInfo): void {
  build.compute({ ...info, kind: "reorder" }, [tensor], () => {
    const values = build.numbers(tensor);
    return () => values.fill(0);
  });
}

/** (filters, channels, 3, 3) of all groups. */
function allWeights({ layer, weights }: SpaceToDepth): readonly number[] {
  return [layer.filters, ...weights.slice(1)];
}

/** One group's of row-major weights in this form. */
function weightsOf(build: Build, { weights }: SpaceToDepth, all: Tensor, group: number): Tensor {
  const bytes = denseBytes(weights, all.type);
  const descriptor = build.descriptor(weights, "row-major", all.type);
  return { ...all, descriptor, bytes, offset: all.offset + group * bytes };
}

/** For each weight in this form the place of the layer's own that it is, -1 for those that stay 0; both row-major. */
function tapPlaces({ layer, dims, pieces, weights }: SpaceToDepth): Int32Array {
  const { filters, groups, size, stride } = layer;
  const channels = dims[1] / groups;
  const places = new Int32Array(filters * weights[1] * WINDOW ** 2);
  let i = 0;
  for (let filter = 0; filter < filters; filter++)
    for (let piece = 0; piece < pieces ** 2; piece++)
      for (let channel = 0; channel < channels; channel++)
        for (let inSquare = 0; inSquare < stride ** 2; inSquare++)
          for (let tap = 0; tap < WINDOW ** 2; tap++) {
            const along = (piece: number, tap: number, inSquare: number): number =>
              stride * (WINDOW * piece + tap) + inSquare;
            const row = along(Math.floor(piece / pieces), Math.floor(tap / WINDOW), Math.floor(inSquare / stride));
            const column = along(piece % pieces, tap % WINDOW, inSquare % stride);
            const inside = row < size && column < size;
            places[i++] = inside ? ((filter * channels + channel) * size + row) * size + column : -1;
          }
  return places;
}
