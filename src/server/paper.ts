import type { z } from "zod";
import { drawMaps } from "../drawing/maps.js";
import { cropOf, encodePng, type Pixels, squareOf } from "../drawing/pixels.js";
import type { Engine, Tensor } from "../engine/engine.js";
import { loadInput } from "../evaluation/picture-source.js";
import { paper } from "../network/architectures/paper.js";
import { initialise } from "../network/initialise.js";
import type { Layer, Network } from "../network/network.js";
import { parameterTable, parameterView } from "../network/parameters.js";
import { principalComponents } from "../store/colour.js";
import type { PaperDemo, PaperFigure, paperQueries } from "./api-types.js";
import { dataUri } from "./explore.js";

/** What the paper's ideas do to a picture, computed by the engine that trains. */

const SIDE = 256; // of a prepared picture
const CROP = 227;
const MAPS = 16; // of the first layer that are shown

type Values<D extends PaperDemo> = z.output<(typeof paperQueries)[D]>;

export type PaperDemos = {
  readonly [D in PaperDemo]: (picture: Uint8Array, values: Values<D>) => Promise<readonly PaperFigure[]>;
};

export function paperDemos(engine: () => Promise<Engine>): PaperDemos {
  const prepared = async (bytes: Uint8Array): Promise<Pixels> =>
    squareOf(SIDE, await loadInput(bytes, "picture", SIDE));
  const figure = async (title: string, pixels: Pixels, note?: string): Promise<PaperFigure> => ({
    title,
    image: dataUri(await encodePng(pixels)),
    ...(note !== undefined && { note }),
  });
  const maps = async (title: string, { shape, data }: Tensor, note?: string): Promise<PaperFigure> => {
    const [, channels = 1, height = 1, width = 1] = shape;
    const png = await drawMaps(Float32Array.from(data), channels, height, width, { tile: 64 });
    return { title, image: dataUri(png), ...(note !== undefined && { note }) };
  };
  /** Rectified outputs of the first convolution, as it is before training, for the picture's centre. */
  const activations = async (bytes: Uint8Array): Promise<Tensor> => {
    const [first] = paper.layers;
    if (first?.kind !== "convolution") throw new Error("the paper's network begins with a convolution");
    const centre = cropOf(await prepared(bytes), { top: 14, left: 14, size: CROP });
    const x = planes(centre);
    const parameters = initialise(paper, { deviation: "he", biases: {} }, 1);
    const [weights, biases] = parameterTable(paper);
    if (weights === undefined || biases === undefined) throw new Error("the first layer has no parameters");
    const layer = { ...first, filters: MAPS } as const;
    const [filters, ...rest] = weights.shape;
    const share = MAPS / (filters ?? MAPS);
    const w = parameterView(parameters, weights);
    const b = parameterView(parameters, biases);
    const y = await forward(await engine(), layer, x, {
      w: { shape: [MAPS, ...rest], data: Float64Array.from(w.subarray(0, w.length * share)) },
      b: { shape: [MAPS], data: Float64Array.from(b.subarray(0, MAPS)) },
    });
    return { shape: y.shape, data: y.data.map((value) => Math.max(0, value)) };
  };
  const untrained = `${MAPS} maps of the first layer before any training`;
  return {
    async crop(bytes, { left, top, mirrored }) {
      const picture = await prepared(bytes);
      const cropped = cropOf(picture, { left, top, mirrored, size: CROP });
      return [await figure("prepared, 256x256", picture), await figure("what the network sees, 227x227", cropped)];
    },
    async colour(bytes, { a0, a1, a2 }) {
      const picture = await prepared(bytes);
      const { vectors, deviations } = components(picture);
      const shift = [0, 1, 2].map((channel) =>
        [a0, a1, a2].reduce((sum, a, i) => sum + (vectors[i]?.[channel] ?? 0) * a * (deviations[i] ?? 0), 0),
      ) as [number, number, number];
      const shifted = cropOf(picture, { top: 0, left: 0, size: SIDE, colourShift: shift });
      const note = `red, green and blue change by ${shift.map((value) => value.toFixed(1)).join(", ")}`;
      return [await figure("as it is", picture), await figure("colours shifted", shifted, note)];
    },
    async norm(bytes, { k, n, alpha, beta }) {
      const x = await activations(bytes);
      const layer: Layer = {
        kind: "local-response-norm",
        name: "norm",
        k,
        n: n % 2 === 1 ? n : n + 1,
        alpha: 10 ** alpha,
        beta,
      };
      return [await maps("before", x, untrained), await maps("normalised", await forward(await engine(), layer, x))];
    },
    async pooling(bytes, { size, stride }) {
      const x = await activations(bytes);
      const y = await forward(await engine(), { kind: "max-pool", name: "pool", size, stride }, x);
      const [, , height, width] = y.shape;
      const overlap = size > stride ? "windows overlap" : "windows don't overlap";
      return [await maps("before", x, untrained), await maps(`pooled to ${width}x${height}`, y, overlap)];
    },
    async dropout(bytes, { rate, seed }) {
      const { pixels, kept, all } = await droppedMaps(await engine(), await prepared(bytes), rate, seed);
      const share = pixels === 0 ? 1 : kept / pixels;
      const note = `${(100 * share).toFixed(1)} % of the units that were not 0 are kept, multiplied by ${(1 / (1 - rate)).toFixed(2)}`;
      return [await maps("all units", all.before, untrained), await maps("one step's units", all.after, note)];
    },
  };
}

/** A layer's outputs; its gradients, which are computed too, are not looked at. */
async function forward(
  engine: Engine,
  layer: Layer,
  x: Tensor,
  parameters: { readonly w?: Tensor; readonly b?: Tensor } = {},
): Promise<Tensor> {
  const [batch = 1, channels = 1, height = 1, width = 1] = x.shape;
  const along = (side: number): number => {
    if (layer.kind === "convolution") return Math.floor((side + 2 * layer.padding - layer.size) / layer.stride) + 1;
    if (layer.kind === "max-pool" || layer.kind === "average-pool")
      return Math.floor((side - layer.size) / layer.stride) + 1;
    return side;
  };
  const shape = [batch, layer.kind === "convolution" ? layer.filters : channels, along(height), along(width)];
  const dy = { shape, data: new Float64Array(shape.reduce((product, length) => product * length, 1)) };
  return (await engine.differentiate(layer, { x, dy, ...parameters })).y;
}

/** The first layer's rectified maps before and after dropout, in a step that learns nothing. */
async function droppedMaps(engine: Engine, picture: Pixels, rate: number, seed: number) {
  const [first] = paper.layers;
  if (first?.kind !== "convolution") throw new Error("the paper's network begins with a convolution");
  const network: Network = {
    name: "dropout",
    input: paper.input,
    layers: [
      { ...first, name: "conv", filters: MAPS },
      { kind: "relu", name: "relu" },
      { kind: "dropout", name: "drop", rate },
      { kind: "fully-connected", name: "fc", outputs: 2 },
    ],
  };
  const program = await engine.compile(network, {
    batchSize: 1,
    mode: "train",
    preprocessing: { mean: new Float32Array(SIDE * SIDE * 3).fill(128), scale: [1 / 64, 1 / 64, 1 / 64] },
    observe: ["relu", "drop"],
  });
  try {
    await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
    const view = { picture: 0, top: 14, left: 14, mirrored: false, colourShift: [0, 0, 0] } as const;
    const batch = { pictures: picture.data, views: [view], labels: Int32Array.of(0) };
    await program.step(batch, { seed, learningRate: 0, momentum: 0, weightDecay: 0 });
    const [before, after] = [await program.activation("relu"), await program.activation("drop")];
    const shape = [1, MAPS, 55, 55];
    const pixels = before.reduce((count, value) => count + Number(value !== 0), 0);
    const kept = after.reduce((count, value) => count + Number(value !== 0), 0);
    const tensor = (values: Float32Array): Tensor => ({ shape, data: Float64Array.from(values) });
    return { pixels, kept, all: { before: tensor(before), after: tensor(after) } };
  } finally {
    await program.close();
  }
}

/** Pixels about 0 as one picture's planes: (1, 3, height, width). */
function planes({ width, height, data }: Pixels): Tensor {
  const plane = width * height;
  const values = new Float64Array(3 * plane);
  for (let i = 0; i < data.length; i++) values[(i % 3) * plane + Math.floor(i / 3)] = ((data[i] ?? 0) - 128) / 64;
  return { shape: [1, 3, height, width], data: values };
}

/** Of the colours of a picture's pixels: the directions in which they vary, and how much. */
function components({ data }: Pixels) {
  const count = data.length / 3;
  const [mean, products]: [number[], number[]] = [[0, 0, 0], new Array(9).fill(0)];
  for (let i = 0; i < data.length; i++) mean[i % 3] = (mean[i % 3] ?? 0) + (data[i] ?? 0) / count;
  for (let i = 0; i < data.length; i += 3)
    for (let pair = 0; pair < 9; pair++) {
      const [row, column] = [Math.floor(pair / 3), pair % 3];
      const of = (channel: number): number => (data[i + channel] ?? 0) - (mean[channel] ?? 0);
      products[pair] = (products[pair] ?? 0) + (of(row) * of(column)) / count;
    }
  const row = (first: number) => [products[first] ?? 0, products[first + 1] ?? 0, products[first + 2] ?? 0] as const;
  const { values, vectors } = principalComponents([row(0), row(3), row(6)]);
  return { vectors, deviations: values.map((value) => Math.sqrt(Math.max(0, value))) };
}
