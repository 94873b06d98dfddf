import type { z } from "zod";
import { drawMaps } from "../drawing/maps.js";
import { cropOf, encodePng, type Pixels, squareOf } from "../drawing/pixels.js";
import type { Engine } from "../engine/engine.js";
import { loadInput } from "../evaluation/picture-source.js";
import { paper } from "../network/architectures/paper.js";
import { initialise } from "../network/initialise.js";
import type { Layer, Network } from "../network/network.js";
import { inferShapes, type Shape } from "../network/shapes.js";
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
  const maps = async (
    title: string,
    { channels, height, width, values }: Maps,
    note?: string,
  ): Promise<PaperFigure> => {
    const png = await drawMaps(values, channels, height, width, { tile: 64 });
    return { title, image: dataUri(png), ...(note !== undefined && { note }) };
  };
  /** The first layer's maps, and what another layer makes of them. */
  const around = async (bytes: Uint8Array, layer: Layer, seed = 1): Promise<readonly [Maps, Maps]> =>
    mapsAround(await engine(), await prepared(bytes), layer, seed);
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
      const odd = n % 2 === 1 ? n : n + 1;
      const layer: Layer = { kind: "local-response-norm", name: "norm", k, n: odd, alpha: 10 ** alpha, beta };
      const [before, after] = await around(bytes, layer);
      return [await maps("before", before, untrained), await maps("normalised", after)];
    },
    async pooling(bytes, { size, stride }) {
      const [before, after] = await around(bytes, { kind: "max-pool", name: "pool", size, stride });
      const overlap = size > stride ? "windows overlap" : "windows don't overlap";
      const title = `pooled to ${after.width}x${after.height}`;
      return [await maps("before", before, untrained), await maps(title, after, overlap)];
    },
    async dropout(bytes, { rate, seed }) {
      const [before, after] = await around(bytes, { kind: "dropout", name: "drop", rate }, seed);
      const [all, kept] = [before, after].map(({ values }) => values.reduce((n, value) => n + Number(value !== 0), 0));
      const share = (kept ?? 0) / (all || 1);
      const note = `${(100 * share).toFixed(1)} % of the units that were not 0 are kept, multiplied by ${(1 / (1 - rate)).toFixed(2)}`;
      return [await maps("all units", before, untrained), await maps("one step's units", after, note)];
    },
  };
}

/** A layer's outputs for one picture. */
interface Maps extends Shape {
  readonly values: Float32Array;
}

/** The first layer's rectified maps of a picture's centre, as they are before training, and what a layer makes of them. */
async function mapsAround(
  engine: Engine,
  picture: Pixels,
  layer: Layer,
  seed: number,
): Promise<readonly [before: Maps, after: Maps]> {
  const [first] = paper.layers;
  if (first?.kind !== "convolution") throw new Error("the paper's network begins with a convolution");
  const network: Network = {
    name: "paper's idea",
    input: paper.input,
    layers: [
      { ...first, name: "conv", filters: MAPS },
      { kind: "relu", name: "relu" },
      layer,
      { kind: "fully-connected", name: "fc", outputs: 2 },
    ],
  };
  const program = await engine.compile(network, {
    batchSize: 1,
    mode: "train", // dropout is seen in no other
    preprocessing: { mean: new Float32Array(SIDE * SIDE * 3).fill(128), scale: [1 / 64, 1 / 64, 1 / 64] },
    observe: ["relu", layer.name],
  });
  try {
    await program.write("parameters", initialise(network, { deviation: "he", biases: {} }, 1));
    const view = { picture: 0, top: 14, left: 14, mirrored: false, colourShift: [0, 0, 0] } as const;
    const batch = { pictures: picture.data, views: [view], labels: Int32Array.of(0) };
    await program.step(batch, { seed, learningRate: 0, momentum: 0, weightDecay: 0 });
    const mapsOf = async (index: number): Promise<Maps> => {
      const found = inferShapes(network)[index];
      if (found === undefined) throw new Error(`the network has no layer ${index}`);
      return { ...found.output, values: await program.activation(found.layer.name) };
    };
    return [await mapsOf(1), await mapsOf(2)];
  } finally {
    await program.close();
  }
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
