import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { imagenetClasses } from "#src/formats/imagenet-classes.js";
import { networkByName, networks, resolveNetwork, variants } from "#src/network/networks.js";
import { parameterCount, parameterTable } from "#src/network/parameters.js";
import { parseNetwork } from "#src/network/parse.js";
import { inferShapes } from "#src/network/shapes.js";
import { summarise } from "#src/network/summary.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { temporaryFolder } from "../support/folders.js";

const folder = temporaryFolder();

const tiny = {
  name: "tiny",
  input: { channels: 3, size: 31 },
  layers: [
    { kind: "convolution", name: "conv1", filters: 8, size: 5, stride: 2, padding: 0, groups: 1 },
    { kind: "local-response-norm", name: "norm1", k: 2, n: 5, alpha: 1e-4, beta: 0.75, groups: 2 },
    { kind: "relu", name: "relu1" },
    { kind: "max-pool", name: "pool1", size: 3, stride: 2 },
    { kind: "dropout", name: "drop1", rate: 0.5 },
    { kind: "fully-connected", name: "fc", outputs: 7 },
  ],
};

describe("the variants", () => {
  it.each([
    ["paper", 60_965_224, 227],
    ["original-2012", 60_965_224, 227],
    ["caffe", 60_965_224, 227],
    ["caffenet", 60_965_224, 227],
    ["one-weird-trick", 61_100_840, 224],
  ])("%s has %i parameters", (name, parameters, size) => {
    const network = networkByName(name);
    expect(parameterCount(network)).toBe(parameters);
    expect(network.input.size).toBe(size);
    const fc6 = inferShapes(network).find(({ layer }) => layer.name === "fc6");
    expect(fc6?.input).toEqual({ channels: 256, height: 6, width: 6 });
  });

  it("for 32x32 pictures has four layers that learn", () => {
    const network = networkByName("cifar");
    expect(network.input.size).toBe(32);
    expect(parameterTable(network).filter(({ role }) => role === "weight")).toHaveLength(4);
    const fc4 = inferShapes(network).at(-1);
    expect(fc4?.input).toEqual({ channels: 64, height: 3, width: 3 });
  });

  it("each say what differs and where they come from", () => {
    expect(variants.map(({ network }) => network.name)).toEqual(Object.keys(networks));
    for (const { differs, source } of variants) {
      expect(differs.length).toBeGreaterThan(10);
      expect(source.length).toBeGreaterThan(10);
    }
  });

  it("keep every rule at any width", () => {
    for (const { network } of variants)
      for (const width of [0.01, 0.05, 0.1, 0.33, 0.5, 2]) {
        const scaled = scaleWidth(network, width);
        expect(() => inferShapes(scaled)).not.toThrow();
        expect(scaled.layers.at(-1)).toEqual(network.layers.at(-1));
      }
  });

  it("differ where their sources do", () => {
    const order = (name: string) =>
      networkByName(name)
        .layers.slice(0, 4)
        .map((layer) => layer.name);
    expect(order("paper")).toEqual(["conv1", "relu1", "norm1", "pool1"]);
    expect(order("caffe")).toEqual(["conv1", "relu1", "norm1", "pool1"]);
    expect(order("caffenet")).toEqual(["conv1", "relu1", "pool1", "norm1"]);
    expect(order("original-2012")).toEqual(["conv1", "norm1", "pool1", "relu1"]);
    const norm = (name: string) => networkByName(name).layers.find((layer) => layer.name === "norm1");
    expect(norm("paper")).toMatchObject({ k: 2, alpha: 1e-4 });
    expect(norm("caffe")).toMatchObject({ k: 1, alpha: 2e-5 });
    expect(norm("original-2012")).toMatchObject({ k: 2, alpha: 2e-5, groups: 2 });
    expect(summarise(networkByName("caffenet")).forwardFlops).toBe(summarise(networkByName("paper")).forwardFlops);
  });
});

describe("a user's own network", () => {
  it("survives JSON, whatever the variant", () => {
    for (const { network } of variants) {
      const path = join(folder, `${network.name}.json`);
      writeFileSync(path, JSON.stringify(network));
      expect(resolveNetwork(path)).toEqual(network);
    }
  });

  it("is read from a file", () => {
    const path = join(folder, "tiny.json");
    writeFileSync(path, JSON.stringify(tiny));
    const network = resolveNetwork(path);
    expect(parameterTable(withClasses(network, 3)).map(({ name, shape }) => [name, shape])).toEqual([
      ["conv1.weight", [8, 3, 5, 5]],
      ["conv1.bias", [8]],
      ["fc.weight", [3, 8 * 6 * 6]],
      ["fc.bias", [3]],
    ]);
  });

  it("is shown by an example in the documentation", () => {
    const page = readFileSync(new URL("../../docs/import-export.md", import.meta.url), "utf8");
    const network = parseNetwork(JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? ""), "the example");
    expect(network.layers).toHaveLength(8);
  });

  const change = (layer: number, fields: object) => ({
    ...tiny,
    layers: tiny.layers.map((old, i) => (i === layer ? { ...old, ...fields } : old)),
  });

  it.each([
    [[], "n.json: []: Invalid input: expected object, received array"],
    [null, "n.json: null: Invalid input"],
    [{ ...tiny, name: "../x" }, 'n.json: name="../x": must be a word'],
    [{ ...tiny, name: "constructor" }, 'n.json: name="constructor": is a word JavaScript keeps'],
    [{ ...tiny, extra: 1 }, "n.json: has an unknown field extra"],
    [{ ...tiny, input: undefined }, "n.json: has no input"],
    [{ ...tiny, input: { channels: 1, size: 31 } }, "n.json: input.channels=1: Invalid input: expected 3"],
    [{ ...tiny, layers: "conv" }, 'n.json: layers="conv": Invalid input: expected array'],
    [{ ...tiny, layers: [] }, "n.json: tiny: has no layers"],
    [{ ...tiny, layers: [7] }, "n.json: layer 1: 7: Invalid input: expected object"],
    [{ ...tiny, layers: tiny.layers.slice(0, 5) }, "the last layer must be fully-connected"],
    [change(0, { kind: "conv" }), 'n.json: conv1: kind="conv" must be one of convolution, relu'],
    [change(0, { kind: "toString" }), 'n.json: conv1: kind="toString" must be one of'],
    [change(0, { kind: undefined }), "n.json: conv1: kind=(nothing) must be one of"],
    [change(1, { name: "" }), 'n.json: layer 2: name="": must be a word'],
    [change(1, { name: "__proto__" }), "must be a word"],
    [change(0, { stride: "2" }), 'n.json: conv1: stride="2": Invalid input: expected number, received string'],
    [change(0, { stride: 1.5 }), "n.json: conv1: stride=1.5 must be a whole number from 1"],
    [change(0, { kernel: 5 }), "n.json: conv1: has an unknown field kernel; a convolution layer has kind, name"],
    [change(0, { groups: 2 }), "n.json: conv1: 3 channels are not divisible by groups=2"],
    [change(1, { groups: 3 }), "n.json: norm1: 8 channels are not divisible by groups=3"],
    [change(1, { region: "everywhere" }), 'n.json: norm1: region="everywhere": Invalid option'],
    [change(1, { region: "within-map" }), "n.json: norm1: windows within a map have no use for groups"],
    [change(1, { alpha: Number.POSITIVE_INFINITY }), "n.json: norm1: alpha=Infinity: Invalid input"],
    [change(2, { name: "conv1" }), "n.json: conv1: two layers have this name"],
    [change(3, { size: 40 }), "n.json: pool1: a 40x40 window"],
    [change(4, { rate: 1 }), "n.json: drop1: rate=1 must be at least 0 and below 1"],
  ])("is refused with the field and the rule: %#", (value, message) => {
    expect(() => parseNetwork(value, "n.json")).toThrow(message);
    expect(() => parseNetwork(value, "n.json")).toThrow(expect.objectContaining({ code: "invalid-network" }));
  });

  it("says what a missing field's layer needs", () => {
    const [{ stride: _, ...conv1 }, ...rest] = tiny.layers;
    expect(() => parseNetwork({ ...tiny, layers: [conv1, ...rest] }, "n.json")).toThrow(
      "n.json: conv1: has no stride; a convolution layer has kind, name, filters, size, stride, padding, groups",
    );
  });

  it("may be missing, unknown or no JSON", () => {
    expect(() => resolveNetwork(join(folder, "none.json"))).toThrow(/none.json: can't be read/);
    expect(() => resolveNetwork("alexnet")).toThrow(/no network is named alexnet; there are: paper, original-2012/);
    expect(() => resolveNetwork("__proto__")).toThrow(/no network is named/);
    const path = join(folder, "broken.json");
    writeFileSync(path, '{"name": ');
    expect(() => resolveNetwork(path)).toThrow(/broken.json: is not JSON/);
  });
});

describe("ImageNet's classes", () => {
  it("are a thousand, in the order of their ids, all different", () => {
    expect(imagenetClasses).toHaveLength(1000);
    const ids = imagenetClasses.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(1000);
    expect(new Set(imagenetClasses.map(({ name }) => name)).size).toBe(1000);
    for (const { id, name } of imagenetClasses) {
      expect(id).toMatch(/^n\d{8}$/);
      expect(name.trim()).toBe(name);
    }
    expect(imagenetClasses[1]).toEqual({ id: "n01443537", name: "goldfish" });
    expect(imagenetClasses[517]).toEqual({ id: "n03126707", name: "crane" });
    expect(imagenetClasses[999]).toEqual({ id: "n15075141", name: "toilet tissue" });
  });
});
