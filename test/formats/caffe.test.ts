import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseMean, readClasses, readTriple } from "#src/cli/import-arguments.js";
import { readBinaryproto, readCaffemodel } from "#src/formats/caffe/caffe.js";
import { importModel } from "#src/formats/import.js";
import { readMeanImage } from "#src/formats/mean-image.js";
import { encodeNpy } from "#src/formats/npy.js";
import { cifar } from "#src/network/architectures/cifar.js";
import type { Layer } from "#src/network/network.js";
import { networkByName } from "#src/network/networks.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { type CaffeLayer, encodeCaffemodel, encodeMean, encodeMessage, type Style } from "../support/caffe-files.js";
import { temporaryFolder } from "../support/folders.js";
import { expectSameModel, randomModel } from "../support/models.js";

const folder = temporaryFolder();

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const styles: readonly Style[] = ["layers of 2013", "layer"];

describe.each(["caffe", "caffenet"])("a caffemodel of %s", (name) => {
  it.each(styles)("with %s becomes the same network, in red, green, blue", async (style) => {
    const random = randomModel(withClasses(scaleWidth(networkByName(name), 0.04), 9), 2);
    const model = { ...random, preprocessing: { ...random.preprocessing, scale: [1, 1, 1] as const } };
    const path = file(`${name}.caffemodel`, encodeCaffemodel(model, style));
    const meanPath = file(`${name}.binaryproto`, encodeMean(model.preprocessing.mean));
    const { model: again, format } = await importModel(path, { mean: meanPath, classes: model.classes });
    expect(format).toBe("caffe");
    expectSameModel(again, model);
    expect(again.network.name).toBe(name);
  });
});

const model = randomModel(withClasses(scaleWidth(networkByName("caffe"), 0.02), 4), 2);

describe("what a caffemodel says", () => {
  it("includes the mean and the scale of its data layer", () => {
    const data = {
      name: "data",
      type: "Data",
      transform_param: { scale: 0.017, crop_size: 227, mean_value: [104, 117, 123] },
    };
    const { scale, mean } = readCaffemodel(file("data.caffemodel", encodeCaffemodel(model, "layer", [data])));
    expect(scale).toEqual([0.017, 0.017, 0.017]);
    expect([...(mean?.subarray(0, 4) ?? [])]).toEqual([123, 117, 104, 123]);
  });

  it("must include what is subtracted, or an option must", async () => {
    const path = file("plain.caffemodel", encodeCaffemodel(model, "layer"));
    await expect(importModel(path)).rejects.toMatchObject({
      code: "incomplete-model",
      problem: expect.stringMatching(/plain.caffemodel: does not say what is subtracted/),
      hints: [{ option: "mean" }],
    });
    await expect(importModel(path, { network: networkByName("caffe") })).rejects.toThrow(/leave the network out/);
  });

  it("is refused where it has no counterpart", () => {
    const read = (more: CaffeLayer) => readCaffemodel(file("odd.caffemodel", encodeCaffemodel(model, "layer", [more])));
    expect(() => read({ name: "sig", type: "Sigmoid" })).toThrow(/sig: layers of type Sigmoid have no counterpart/);
    expect(() => read({ name: "any", type: "Pooling", pooling_param: { pool: "STOCHASTIC", kernel_size: 2 } })).toThrow(
      /any: only maximum and average pooling/,
    );
    expect(() => read({ name: "fc9", type: "InnerProduct", inner_product_param: { num_output: 3 } })).toThrow(
      /fc9: has no weights/,
    );
    expect(() => readCaffemodel(file("empty.caffemodel", ""))).toThrow(/not a caffemodel: it has no layers/);
  });

  it.each(["layer", "layers of 2013"] as const)("has tanh and average pools: %s", (style) => {
    const layers = cifar.layers.map((layer): Layer => (layer.kind === "relu" ? { ...layer, kind: "tanh" } : layer));
    const own = randomModel({ ...cifar, layers }, 3);
    const data = style === "layer" ? [{ name: "data", type: "Data", transform_param: { crop_size: 32 } }] : [];
    const { network, parameters } = readCaffemodel(file("tanh.caffemodel", encodeCaffemodel(own, style, data)));
    expect(network.layers).toEqual(layers);
    expect(parameters).toEqual(own.parameters);
  });

  it("keeps a network of its own under its own name", () => {
    const layers = model.network.layers.filter((layer) => layer.name !== "norm2");
    const own = randomModel({ ...model.network, layers }, 3);
    const { network } = readCaffemodel(file("own.caffemodel", encodeCaffemodel(own, "layer")));
    expect(network).toEqual({ ...own.network, name: "AlexNet" });
  });
});

describe("means", () => {
  const mean = Float32Array.from({ length: 256 * 256 * 3 }, (_, i) => Math.fround(i / 1000));
  const same = (a: Float32Array, b: Float32Array) => Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

  it("are read from .binaryproto, .npy either way round, and numbers", async () => {
    expect(same(readMeanImage(file("m.binaryproto", encodeMean(mean))), mean)).toBe(true);
    expect(same(readMeanImage(file("hwc.npy", Buffer.concat(encodeNpy([256, 256, 3], mean)))), mean)).toBe(true);
    const planes = Float32Array.from(mean, (_, i) => mean[(i % 65536) * 3 + 2 - Math.floor(i / 65536)]);
    expect(same(readMeanImage(file("chw.npy", Buffer.concat(encodeNpy([3, 256, 256], planes)))), mean)).toBe(true);
    const path = file("colour.caffemodel", encodeCaffemodel(model, "layer"));
    const { preprocessing } = (await importModel(path, { mean: parseMean("1, 2.5,3") })).model;
    expect([...preprocessing.mean.subarray(3, 6)]).toEqual([1, 2.5, 3]);
  });

  it("of another shape or kind, or smaller than what the network sees, are refused", async () => {
    const oblong = encodeMessage("BlobProto", { num: 1, channels: 3, height: 2, width: 4, data: Array(24).fill(1) });
    expect(() => readBinaryproto(file("oblong.binaryproto", oblong))).toThrow(/is 3x2x4; a mean image is .* square/);
    const small = encodeMessage("BlobProto", { num: 1, channels: 3, height: 2, width: 2, data: Array(12).fill(1) });
    const path = file("seen.caffemodel", encodeCaffemodel(model, "layer"));
    await expect(importModel(path, { mean: file("small.binaryproto", small) })).rejects.toThrow(
      /the mean image is of 2x2 pictures, and .* sees crops of 227x227/,
    );
    const short = encodeMessage("BlobProto", { num: 1, channels: 3, height: 256, width: 256, data: [1] });
    expect(() => readBinaryproto(file("short.binaryproto", short))).toThrow(/holds 4 bytes/);
    expect(() => parseMean("1,2")).toThrow(/--mean 1,2: give a .binaryproto, a .npy or three numbers/);
    expect(readTriple("1,,2")).toBeUndefined();
    expect(readTriple("0.5")).toEqual([0.5, 0.5, 0.5]);
  });
});

describe("class names", () => {
  it("are read a line each", () => {
    expect(readClasses(file("names.txt", "tench\r\ngoldfish\r\n"))).toEqual(["tench", "goldfish"]);
    expect(() => readClasses(file("twice.txt", "a\nb\na\n"))).toThrow(/twice.txt: a: names must be there and differ/);
    expect(readClasses("ids").slice(0, 2)).toEqual(["n01440764", "n01443537"]);
    expect(readClasses("names").slice(0, 2)).toEqual(["tench", "goldfish"]);
    expect(() => readClasses(file("gap.txt", "a\n\nb\n"))).toThrow(/gap.txt: an empty line/);
    expect(() => readClasses(join(folder, "none.txt"))).toThrow(/none.txt: can't be read/);
  });

  it("of ImageNet come with networks of a thousand classes", async () => {
    const model = randomModel(scaleWidth(networkByName("caffe"), 0.02), 2);
    const path = file("thousand.caffemodel", encodeCaffemodel(model, "layer"));
    const { model: imported, assumptions } = await importModel(path, { mean: [122.68, 116.67, 104.01] });
    expect(imported.classes.slice(0, 2)).toEqual(["tench", "goldfish"]);
    expect(imported.classes).toHaveLength(1000);
    expect(assumptions).toContainEqual({ assumed: expect.stringContaining("ILSVRC 2012"), option: "classes" });
  });
});

/** The file of `model` with one layer's description changed. */
function changed(name: string, change: Readonly<Record<string, unknown>>, style: Style = "layer") {
  return () => readCaffemodel(file("changed.caffemodel", encodeCaffemodel(model, style, [], { [name]: change })));
}

it.each(styles)("a leaky ReLU is refused with its slope, a plain one that says so is read (%s)", (style) => {
  expect(changed("relu1", { relu_param: { negative_slope: 0.25 } }, style)).toThrow(
    /relu1: a leaky ReLU \(negative_slope 0.25\) has no counterpart/,
  );
  expect(changed("relu1", { relu_param: { negative_slope: 0, engine: 1 } }, style)().network.layers[1]?.kind).toBe(
    "relu",
  );
});

it("a pool whose size Caffe rounds up is refused and named, unless it says to round down", () => {
  const pool = { kernel_size: 3, stride: 3 };
  expect(changed("pool1", { pooling_param: pool })).toThrow(
    /pool1: windows of 3 in steps of 3 don't end at the edge of 55 places; Caffe adds a smaller window/,
  );
  // Rounded down, pool1 is read; what follows it then has another size, and the refusal is fc6's.
  expect(changed("pool1", { pooling_param: { ...pool, round_mode: 1 } })).not.toThrow(/pool1/);
});

it("a pool's window and steps are read by height and width too, and refused where they differ", () => {
  const { network } = changed("pool1", { pooling_param: { kernel_h: 3, kernel_w: 3, stride_h: 2, stride_w: 2 } })();
  expect(network.layers.find(({ name }) => name === "pool1")).toMatchObject({ size: 3, stride: 2 });
  expect(changed("pool1", { pooling_param: { kernel_h: 3, kernel_w: 2, stride: 2 } })).toThrow(
    /pool1: size 3x2 is not square/,
  );
  expect(changed("pool1", { pooling_param: { kernel_size: 3, stride: 2, pad_h: 1 } })).toThrow(
    /pool1: padding 1x0 is not square/,
  );
});

it("what is not read of a layer that counts is refused by its field's number; what only training reads is not", () => {
  const conv3 = { num_output: 1, pad: [1], kernel_size: [3] };
  const withField = (field: object) => changed("conv3", { convolution_param: { ...conv3, ...field } });
  expect(withField({ of_a_fork: 0.5 })).toThrow(/conv3: has what is not read here: field 106.99 of its LayerParameter/);
  expect(changed("relu3", { power_param: { power: 2 } })).toThrow(/relu3: has what is not read here: field 122/);
  expect(withField({ axis: 2 })).toThrow(/conv3: channels on axis 2 are not read/);
  expect(withField({ engine: 1, weight_filler: { type: "gaussian" } })).not.toThrow(/field/);
});
