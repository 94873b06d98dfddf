import { describe, expect, it } from "vitest";
import { oneWeirdTrick } from "#src/network/architectures/one-weird-trick.js";
import { paper } from "#src/network/architectures/paper.js";
import { networkByName, networks } from "#src/network/networks.js";
import { parameterCount, parameterTable, parameterView } from "#src/network/parameters.js";
import { inferShapes } from "#src/network/shapes.js";
import { summarise } from "#src/network/summary.js";
import { classCount, scaleWidth, withClasses } from "#src/network/transform.js";

const sizeOf = ({ channels, height, width }: { channels: number; height: number; width: number }): string =>
  height === 1 && width === 1 ? `${channels}` : `${channels}x${height}x${width}`;

describe("the paper's network", () => {
  it("has the paper's maps", () => {
    const outputs = Object.fromEntries(inferShapes(paper).map(({ layer, output }) => [layer.name, sizeOf(output)]));
    expect(outputs).toMatchObject({
      conv1: "96x55x55",
      pool1: "96x27x27",
      conv2: "256x27x27",
      pool2: "256x13x13",
      conv3: "384x13x13",
      conv4: "384x13x13",
      conv5: "256x13x13",
      pool5: "256x6x6",
      fc6: "4096",
      fc7: "4096",
      fc8: "1000",
    });
  });

  it("has the paper's order: convolution, ReLU, normalisation, pool", () => {
    expect(paper.layers.slice(0, 4).map(({ kind }) => kind)).toEqual([
      "convolution",
      "relu",
      "local-response-norm",
      "max-pool",
    ]);
  });

  it("has the paper's parameters", () => {
    const shapes = Object.fromEntries(parameterTable(paper).map(({ name, shape }) => [name, shape]));
    expect(shapes).toEqual({
      "conv1.weight": [96, 3, 11, 11],
      "conv1.bias": [96],
      "conv2.weight": [256, 48, 5, 5],
      "conv2.bias": [256],
      "conv3.weight": [384, 256, 3, 3],
      "conv3.bias": [384],
      "conv4.weight": [384, 192, 3, 3],
      "conv4.bias": [384],
      "conv5.weight": [256, 192, 3, 3],
      "conv5.bias": [256],
      "fc6.weight": [4096, 9216],
      "fc6.bias": [4096],
      "fc7.weight": [4096, 4096],
      "fc7.bias": [4096],
      "fc8.weight": [1000, 4096],
      "fc8.bias": [1000],
    });
    expect(parameterCount(paper)).toBe(60_965_224);
  });

  it("costs 1.449 GFLOP a picture forward and 4.136 in training", () => {
    const summary = summarise(paper);
    expect(summary.parameters).toBe(60_965_224);
    expect(summary.forwardFlops).toBe(1_448_813_632);
    expect(summary.trainingFlops).toBe(3 * 1_448_813_632 - 2 * 105_415_200);
    expect(summary.trainingFlops / 1e9).toBeCloseTo(4.136, 3);
    const row = (name: string) => summary.layers.find((layer) => layer.name === name);
    expect(row("conv1")).toMatchObject({ kind: "convolution", parameters: 34_944, multiplyAdds: 105_415_200 });
    expect(row("conv2")).toMatchObject({ parameters: 307_456, multiplyAdds: 223_948_800 });
    expect(row("fc6")).toMatchObject({ parameters: 37_752_832, multiplyAdds: 37_748_736 });
    expect(row("norm1")).toMatchObject({ parameters: 0, multiplyAdds: 0 });
  });
});

describe("the network of one weird trick", () => {
  it("is the one that torchvision ships", () => {
    const shapes = Object.fromEntries(parameterTable(oneWeirdTrick).map(({ name, shape }) => [name, shape]));
    expect(shapes).toMatchObject({
      "conv1.weight": [64, 3, 11, 11],
      "conv2.weight": [192, 64, 5, 5],
      "conv3.weight": [384, 192, 3, 3],
      "conv4.weight": [256, 384, 3, 3],
      "conv5.weight": [256, 256, 3, 3],
      "fc6.weight": [4096, 9216],
      "fc7.weight": [4096, 4096],
      "fc8.weight": [1000, 4096],
    });
    expect(parameterCount(oneWeirdTrick)).toBe(61_100_840);
  });
});

describe("the parameter table", () => {
  it.each(Object.values(networks))("of $name places every value once, in order", (network) => {
    let end = 0;
    for (const { offset, count, shape, role, fanIn } of parameterTable(network)) {
      expect(offset).toBe(end);
      expect(count).toBe(shape.reduce((a, b) => a * b));
      if (role === "weight") expect(fanIn).toBe(count / shape[0]);
      end += count;
    }
    expect(parameterCount(network)).toBe(end);
  });

  it("gives views, not copies", () => {
    const small = withClasses(scaleWidth(paper, 0.1), 2);
    const bias = parameterTable(small)[1];
    const all = new Float32Array(parameterCount(small));
    parameterView(all, bias).fill(1);
    expect(all.indexOf(1)).toBe(bias.offset);
    expect(all.lastIndexOf(1)).toBe(bias.offset + bias.count - 1);
  });
});

describe("networks by name", () => {
  it.each(Object.keys(networks))("finds %s", (name) => {
    expect(networkByName(name).name).toBe(name);
  });

  it.each(["alexnet", "toString", ""])("says what there is instead of %j", (name) => {
    expect(() => networkByName(name)).toThrow(/paper.*one-weird-trick/);
  });
});

describe("another number of classes", () => {
  it("changes the last layer alone", () => {
    const network = withClasses(paper, 12);
    expect(classCount(network)).toBe(12);
    expect(classCount(paper)).toBe(1000);
    expect(network.layers.slice(0, -1)).toEqual(paper.layers.slice(0, -1));
  });
});
