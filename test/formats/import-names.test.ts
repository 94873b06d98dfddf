import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importModel } from "#src/formats/import.js";
import { withoutWrappers } from "#src/formats/pytorch/naming.js";
import { encodeSafetensors, type NamedTensor } from "#src/formats/safetensors.js";
import { networkByName } from "#src/network/networks.js";
import { parameterTable, parameterView } from "#src/network/parameters.js";
import { scaleWidth, withClasses } from "#src/network/transform.js";
import { temporaryFolder } from "../support/folders.js";
import { randomModel } from "../support/models.js";

const folder = temporaryFolder();

const model = randomModel(withClasses(scaleWidth(networkByName("paper"), 0.05), 4), 3);

/** The model's tensors under other names, and others beside them, with nothing that describes them. */
function write(rename: (name: string) => string, others: Readonly<Record<string, NamedTensor>> = {}): string {
  const path = join(folder, "model.safetensors");
  const tensors = new Map(
    parameterTable(model.network).map((parameter): [string, NamedTensor] => [
      rename(parameter.name),
      { shape: parameter.shape, data: parameterView(model.parameters, parameter) },
    ]),
  );
  for (const [name, tensor] of Object.entries(others)) tensors.set(name, tensor);
  writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, {})));
  return path;
}

const options = { network: "paper", mean: [120, 110, 100], scale: [1, 1, 1] } as const;

test.each([
  ["module.", (name: string) => `module.${name}`],
  ["_orig_mod.", (name: string) => `_orig_mod.${name}`],
  ["_orig_mod.module.", (name: string) => `_orig_mod.module.${name}`],
  ["backbone.net.", (name: string) => `backbone.net.${name}`],
  ["module in the middle", (name: string) => name.replace(".", ".module.")],
  ["module.encoder.", (name: string) => `module.encoder.${name}`],
])("names that are wrapped in %s are read as without", async (_, rename) => {
  const imported = await importModel(write(rename), options);
  expect(Buffer.from(imported.model.parameters.buffer).equals(Buffer.from(model.parameters.buffer))).toBe(true);
});

test("a file of two networks is not guessed at", () => {
  const names = ["a.conv1.weight", "b.conv1.weight"];
  expect([...withoutWrappers(names, ["conv1.weight"]).keys()]).toEqual(names);
});

const extra: NamedTensor = { shape: [2], data: Float32Array.of(1, 2) };

test("parameters that the network has no place for are an error that names them: it computes something else", async () => {
  await expect(
    importModel(
      write((name) => name, { "norm1.running_mean": extra, "prelu1.weight": extra }),
      options,
    ),
  ).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(
      /something else than paper, which has no place for norm1.running_mean, prelu1.weight/,
    ),
    hints: [{ option: "network" }, { option: "ignore", value: "norm1.running_mean" }],
  });
});

test("what is said to be of no use is left out, and named as assumed; of whatever type it is", async () => {
  const path = write((name) => name, { "ema.scale": extra, "ema.shift": extra, other: extra });
  const file = readFileSync(path);
  const header = file.subarray(8, 8 + Number(file.readBigUInt64LE(0)));
  const typed = header.toString().replace('"other":{"dtype":"F32"', '"other":{"dtype":"F4" ');
  expect(typed, "a type that nobody here knows").toContain('"F4" ');
  header.write(typed);
  writeFileSync(path, file);
  await expect(importModel(path, options)).rejects.toThrow("no place for ema.scale, ema.shift, other");
  await expect(importModel(path, { ...options, ignore: ["ema.*"] })).rejects.toThrow("no place for other");
  const { model: imported, assumptions } = await importModel(path, { ...options, ignore: ["ema.*", "other"] });
  expect(Buffer.from(imported.parameters.buffer).equals(Buffer.from(model.parameters.buffer))).toBe(true);
  expect(assumptions).toContainEqual({
    assumed: "no prediction depends on ema.scale, ema.shift, other",
    option: "ignore",
  });
});

test("names to ignore that nothing has are an error, and a pattern's other characters stand for themselves", async () => {
  const path = write((name) => name, { "ema.scale": extra });
  for (const ignore of ["ema", "emaXscale", "conv1.weight", "(ema"])
    await expect(importModel(path, { ...options, ignore: [ignore] })).rejects.toThrow("no place for ema.scale");
  const clean = write((name) => name);
  await expect(importModel(clean, { ...options, ignore: ["ema.*"] })).rejects.toMatchObject({
    code: "invalid-option",
    message: expect.stringContaining("ignore ema.*: "),
  });
});

test("counters that no prediction depends on are passed over", async () => {
  const path = write((name) => name, { "conv1.num_batches_tracked": { shape: [], data: BigInt64Array.of(3n) } });
  expect((await importModel(path, options)).model.network.name).toBe("paper");
});

test("a network of one output is refused: there is nothing to tell apart", async () => {
  const one = {
    "fc8.weight": { shape: [1, 204], data: new Float32Array(204) },
    "fc8.bias": { shape: [1], data: new Float32Array(1) },
  };
  const path = write((name) => name, one);
  const inputs = parameterTable(model.network).find(({ name }) => name === "fc8.weight")?.shape[1] ?? 0;
  const fitting = { ...one, "fc8.weight": { shape: [1, inputs], data: new Float32Array(inputs) } };
  await expect(
    importModel(
      write((name) => name, fitting),
      options,
    ),
  ).rejects.toThrow(/has 1 output; there must be two classes or more/);
  expect(path).toContain("model");
});
