import { expect, it } from "vitest";
import { gradientBuckets, Walk, type Walker } from "#src/engine/program/walk.js";
import { SMALL_CLASSES, smallNetwork } from "../../support/networks.js";

const options = { batchSize: 1, mode: "train", preprocessing: { mean: new Float32Array(), scale: [1, 1, 1] } } as const;

/** Notes what is added, in order; takes a ReLU along with what is before it. */
function noting(frozen: readonly string[] = []) {
  const notes: string[] = [];
  const walker: Walker<string, string> = {
    keep: (layer) => notes.push(`keep ${layer}`),
    learns: (layer) => /^(conv|fc)/.test(layer) && !frozen.includes(layer),
    begin: (phase, bucket) => notes.push(phase === "backward" ? `bucket ${bucket}` : phase),
    observe: (y) => notes.push(`observe ${y}`),
    add: ({ name }, x, { following, needsInputGradient, last }) => {
      const count = following[0]?.kind === "relu" ? 2 : 1;
      notes.push(`${x} -> ${name}${count === 2 ? " and ReLU" : ""}${last ? " (last)" : ""}`);
      return {
        count,
        stage: {
          y: name,
          backward: (dy) => {
            notes.push(`${dy} back through ${name}`);
            return needsInputGradient ? `d${name}` : undefined;
          },
        },
      };
    },
  };
  return { notes, walker };
}

it("layers are added forwards, then back as far as something learns, each bucket's gradients together", () => {
  const { notes, walker } = noting(["conv1"]);
  const walk = new Walk(smallNetwork, { ...options, bucketBytes: 1000 }, walker);
  expect(walk.forward("x")).toBe("fc4");
  expect(walk.backward("loss")).toBeUndefined();
  expect(walk.buckets).toEqual([["fc4", "fc3"], ["conv2"]]);
  expect(notes).toEqual([
    "forward",
    "x -> conv1 and ReLU",
    "conv1 -> norm1",
    "norm1 -> pool1",
    "pool1 -> conv2 and ReLU",
    "conv2 -> fc3 and ReLU",
    "fc3 -> drop3",
    "drop3 -> fc4 (last)",
    ...["bucket 0", "loss back through fc4"],
    ...["bucket 0", "dfc4 back through drop3"],
    ...["bucket 0", "ddrop3 back through fc3"],
    ...["bucket 1", "dfc3 back through conv2"],
    ...["bucket 1", "bucket 1", "bucket 1"], // nothing below learns
  ]);
});

it("what is observed is kept, and nothing after it is taken along", () => {
  const { notes, walker } = noting();
  const walk = new Walk(smallNetwork, { ...options, observe: ["conv1", "relu2"] }, walker);
  walk.forward("x");
  expect(notes).toContain("x -> conv1");
  expect(notes).toContain("pool1 -> conv2 and ReLU");
  expect([...walk.observed]).toEqual([
    ["conv1", "conv1"],
    ["relu2", "conv2"],
  ]);
});

it("a program that begins after a layer keeps the parameters of those before", () => {
  const { notes, walker } = noting();
  const walk = new Walk(smallNetwork, { ...options, after: "conv2" }, walker);
  expect(walk.before.map(({ layer }) => layer.name)).toEqual(["conv1", "relu1", "norm1", "pool1", "conv2"]);
  walk.forward("x");
  expect(notes.filter((note) => !note.startsWith("keep"))[1]).toBe("x -> relu2");
  expect(walk.buckets).toEqual([["fc4", "fc3"]]);
});

it("the input's gradient is given where it is asked for, also when nothing learns", () => {
  const frozen = ["conv1", "conv2", "fc3", "fc4"];
  const walk = new Walk(smallNetwork, { ...options, inputGradient: true }, noting(frozen).walker);
  walk.forward("x");
  expect(walk.backward("loss")).toBe("dconv1");
  expect(walk.buckets).toEqual([]);
});

it("buckets hold at least so many bytes of gradients, but the last, and each layer once", () => {
  const learns = (layer: string): boolean => /^(conv|fc)/.test(layer);
  const inBuckets = (bucketBytes?: number) => gradientBuckets(smallNetwork, { bucketBytes }, learns);
  const bytes = 4 * (SMALL_CLASSES * 20 + SMALL_CLASSES); // of fc4
  expect(inBuckets(bytes)).toEqual([["fc4"], ["fc3"], ["conv2"], ["conv1"]]);
  expect(inBuckets(bytes + 1)).toEqual([["fc4", "fc3"], ["conv2"], ["conv1"]]);
  expect(inBuckets()).toEqual([["fc4", "fc3", "conv2", "conv1"]]);
});
