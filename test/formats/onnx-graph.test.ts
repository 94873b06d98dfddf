import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exportModel } from "#src/formats/export.js";
import { importModel } from "#src/formats/import.js";
import { type OnnxNode, onnxCodec } from "#src/formats/onnx/schema.js";
import { networkByName } from "#src/network/networks.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { temporaryFolder } from "../support/folders.js";
import { randomModel } from "../support/models.js";

const folder = temporaryFolder();

const model = randomModel(withClasses(scaleWidth(networkByName("paper"), 0.05), 4), 3);
const whole = join(folder, "whole.onnx");
await exportModel(model, whole, { format: "onnx" });

type Mutable = { -readonly [K in keyof OnnxNode]: OnnxNode[K] };
type Graph = NonNullable<ReturnType<typeof onnxCodec.decode>["graph"]>;

/** The exported network without its description, changed: a file as another program would have written it. */
function write(change: (nodes: Mutable[], graph: Graph) => Mutable[] = (nodes) => nodes): string {
  const { graph } = onnxCodec.decode(readFileSync(whole), whole);
  if (graph === null) throw new Error("no graph");
  const node = change(
    graph.node.map((one) => ({ ...one })),
    graph,
  );
  const path = join(folder, "foreign.onnx");
  writeFileSync(path, onnxCodec.encode({ graph: { ...graph, node } }));
  return path;
}

const options = { network: "paper", mean: [120, 110, 100], scale: [1, 1, 1] } as const;
const find = (nodes: Mutable[], operator: string, number = 0): Mutable => {
  const node = nodes.filter(({ op_type }) => op_type === operator)[number];
  if (node === undefined) throw new Error(`no ${operator}`);
  return node;
};
const without = (node: Mutable, name: string) => node.attribute.filter((attribute) => attribute.name !== name);
const integer = (name: string, i: number) => ({ name, type: 2, i });

const dropout = (input: string): Mutable => ({
  name: "",
  op_type: "Dropout",
  input: [input],
  output: ["dropped"],
  attribute: [],
});

test("a graph that computes what the network does is read, whatever stands in it that changes nothing", async () => {
  const path = write((nodes) => {
    const relu = find(nodes, "Relu", 5);
    const next = nodes.find(({ input }) => input[0] === relu.output[0]);
    if (next !== undefined) next.input = ["dropped", ...next.input.slice(1)];
    const at = nodes.indexOf(relu) + 1;
    return [...nodes.slice(0, at), dropout(relu.output[0] ?? ""), ...nodes.slice(at)];
  });
  const imported = await importModel(path, options);
  expect(Buffer.from(imported.model.parameters.buffer).equals(Buffer.from(model.parameters.buffer))).toBe(true);
  expect(imported.assumptions.map(({ option }) => option)).toEqual(["classes"]);
});

test("a graph that branches is refused: the network has no branches", async () => {
  const path = write((nodes) => [...nodes, dropout(find(nodes, "Relu", 2).output[0] ?? "")]);
  await expect(importModel(path, options)).rejects.toThrow(/conv4.* and Dropout go on from the same value/);
});

test.each<[string, (nodes: Mutable[]) => Mutable[], RegExp]>([
  [
    "another activation",
    (nodes) => {
      find(nodes, "Relu").op_type = "LeakyRelu";
      return nodes;
    },
    /relu1: there is LeakyRelu \(relu1\) in place of Relu/,
  ],
  ["no activation", (nodes) => skip(nodes, find(nodes, "Relu", 2)), /relu3: there is Conv \(conv4\) in place of Relu/],
  ["no norm", (nodes) => skip(nodes, find(nodes, "LRN")), /norm1: there is MaxPool \(pool1\) in place of LRN/],
  [
    "another norm",
    (nodes) => {
      const norm = find(nodes, "LRN");
      norm.attribute = without(norm, "beta");
      norm.attribute = [...norm.attribute, { name: "beta", type: 1, f: 0.5 }];
      return nodes;
    },
    /norm1: beta is 0.5, not 0.75/,
  ],
  [
    "pooling that rounds up",
    (nodes) => {
      const pool = find(nodes, "MaxPool", 1);
      pool.attribute = [...pool.attribute, integer("ceil_mode", 1)];
      return nodes;
    },
    /pool2: ceil_mode is 1, not 0/,
  ],
  [
    "dilated windows",
    (nodes) => {
      const convolution = find(nodes, "Conv", 3);
      convolution.attribute = [...convolution.attribute, { name: "dilations", type: 7, ints: [2, 2] }];
      return nodes;
    },
    /conv4: dilations is 2,2, not 1,1/,
  ],
  [
    "another layer's weights",
    (nodes) => {
      const convolution = find(nodes, "Conv", 3);
      convolution.input = [convolution.input[0] ?? "", "conv5.weight", convolution.input[2] ?? ""];
      return nodes;
    },
    /conv4: its weights are conv5.weight, not conv4.weight/,
  ],
  [
    "a layer more",
    (nodes) => [...nodes, { name: "more", op_type: "Tanh", input: ["logits"], output: ["end"], attribute: [] }],
    /goes on with Tanh \(more\) after paper's last layer/,
  ],
  [
    "an end before the last layer",
    (nodes) => nodes.filter(({ name }) => name !== "fc8" && name !== "logits"),
    /fc8: the graph ends before it/,
  ],
])("a graph with %s is refused, and the first difference named", async (_, change, message) => {
  await expect(importModel(write(change), options)).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(message),
  });
});

/** Without a node: what read its output reads its input. */
function skip(nodes: Mutable[], node: Mutable): Mutable[] {
  for (const other of nodes)
    other.input = other.input.map((name) => (name === node.output[0] ? (node.input[0] ?? "") : name));
  return nodes.filter((other) => other !== node);
}

/** Moves the values of all tensors into a file beside. */
function writeExternal(location: string, bytesAt: string | undefined): string {
  const parts: Buffer[] = [];
  let offset = 0;
  const path = write((nodes, graph) => {
    for (const tensor of graph.initializer) {
      const bytes = Buffer.from(tensor.raw_data);
      const entries = { location, offset: String(offset), length: String(bytes.length) };
      Object.assign(tensor, {
        raw_data: Buffer.alloc(0),
        data_location: 1,
        external_data: Object.entries(entries).map(([key, value]) => ({ key, value })),
      });
      parts.push(bytes);
      offset += bytes.length;
    }
    return nodes;
  });
  if (bytesAt !== undefined) writeFileSync(join(folder, bytesAt), Buffer.concat(parts));
  return path;
}

test("values in a file beside the model are read", async () => {
  const imported = await importModel(writeExternal("model.onnx.data", "model.onnx.data"), options);
  expect(Buffer.from(imported.model.parameters.buffer).equals(Buffer.from(model.parameters.buffer))).toBe(true);
});

test("a file of values that is missing is named, and one outside of the model's folder is never opened", async () => {
  await expect(importModel(writeExternal("gone.data", undefined), options)).rejects.toMatchObject({
    code: "not-found",
    message: expect.stringMatching(
      /gone.data: can't be read, and has the values of .*foreign.onnx; put it beside the model/,
    ),
  });
  for (const location of ["../model.onnx.data", "/etc/passwd", ""])
    await expect(importModel(writeExternal(location, undefined), options)).rejects.toMatchObject({
      code: "damaged-file",
    });
});
