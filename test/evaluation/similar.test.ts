import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type FeaturesOptions, features } from "#src/evaluation/features.js";
import { LoadedModel } from "#src/evaluation/loaded-model.js";
import { compileModel } from "#src/evaluation/program-cache.js";
import { findSimilar, type SimilarOptions } from "#src/evaluation/similar.js";
import { readNpy } from "#src/formats/npy.js";
import { readSafetensors } from "#src/formats/safetensors.js";
import { loadPicture } from "#src/images/picture.js";
import { sharp } from "#src/images/sharp.js";
import { viewsOf } from "#src/store/views.js";
import { alexnet } from "../support/command-line.js";
import { expectClose } from "../support/compare.js";
import { temporaryFolder } from "../support/folders.js";
import { quick, trainedSet } from "../support/trained-runs.js";

const { run, path, scratch } = trainedSet();
const train = join(path, "train");
const query = join(path, "val", "lake", "1.png");

describe("features", () => {
  it("are the layer's activations, a row for each file, of any layer and in both formats", async () => {
    const broken = join(scratch, "broken.png");
    writeFileSync(broken, "no picture");
    const errors: string[] = [];
    const pictures = [query, broken, join(path, "val", "meadow")];
    for (const [layer, shape] of [
      ["relu2", [6]],
      ["conv1", [4, 8, 8]],
    ] as const) {
      const out = (name: string): string => join(scratch, `${layer}${name}`);
      const onEvent: FeaturesOptions["onEvent"] = (event) => {
        if (event.kind === "unreadable") errors.push(event.error);
      };
      const common = { run, pictures, layer, onEvent, ...quick };
      const summary = await features({ ...common, out: out(".safetensors"), format: "safetensors" });
      await features({ ...common, out: out(".npy"), format: "npy" });
      expect(summary).toMatchObject({ layer, shape: [6, ...shape], unreadable: 1 });
      const { tensors, metadata } = readSafetensors(out(".safetensors"));
      const rows = tensors.get("features");
      expect(rows).toEqual(readNpy(out(".npy")));
      const files: string[] = JSON.parse(metadata.files);
      expect(files).toEqual([query, ...[0, 1, 2, 3, 4].map((i) => join(path, "val", "meadow", `${i}.png`))]);
      expect(JSON.parse(readFileSync(out(".json"), "utf8")).files).toEqual(files);

      const open = await LoadedModel.open(run, quick);
      const program = await compileModel(open.engine, open.model, 1, [layer]);
      await program.predict({
        pictures: await loadPicture(files[3]),
        views: viewsOf(1, { pictureSize: 256, cropSize: 67 }),
        labels: Int32Array.of(0),
      });
      const expected = await program.activation(layer);
      await open.close();
      const { data } = readNpy(out(".npy"));
      expectClose(data.subarray(3 * expected.length, 4 * expected.length), expected, 1e-5, layer);
    }
    expect(errors).toEqual(Array(4).fill(`${broken}: not a picture: text`));
  });

  it("of a layer that isn't there names those that are", async () => {
    const wrong = features({
      run,
      pictures: [query],
      layer: "fc9",
      out: join(scratch, "x.npy"),
      format: "npy",
      ...quick,
    });
    await expect(wrong).rejects.toThrow(/fc9: tiny has no such layer; it has conv1, relu1/);
  });

  it("of nothing are not written", async () => {
    const nothing = features({
      run,
      pictures: [join(scratch, "none")],
      out: join(scratch, "n.npy"),
      format: "npy",
      ...quick,
    });
    await expect(nothing).rejects.toMatchObject({ code: "unusable-data" });
    expect(readdirSync(scratch).filter((name) => name.startsWith("n.npy"))).toEqual([]);
  });
});

describe("similar pictures", () => {
  const options = (changes: Partial<SimilarOptions> = {}): SimilarOptions => ({
    run,
    set: train,
    queries: [query],
    count: 3,
    ...quick,
    ...changes,
  });

  it("are the nearest by distance; the set's features are kept until a file changes", async () => {
    const first = await findSimilar(options());
    expect(first).toMatchObject({ pictures: 24, reused: false, layer: "relu2" });
    const [{ file, neighbours }] = first.queries;
    expect(file).toBe(query);
    const distances = neighbours.map(({ distance }) => distance);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));

    const again = await findSimilar(options());
    expect(again).toMatchObject({ reused: true, index: first.index, queries: first.queries });

    const copy = join(train, "apple", "copy.png");
    copyFileSync(query, copy);
    const changed = await findSimilar(options());
    expect(changed).toMatchObject({ pictures: 25, reused: false });
    expect(changed.queries[0].neighbours[0].distance).toBeCloseTo(0, 3);
    rmSync(copy);
  });

  it("of a set without pictures: an error that names it", async () => {
    const set = temporaryFolder();
    writeFileSync(join(set, "notes.txt"), "");
    await expect(findSimilar(options({ set }))).rejects.toMatchObject({
      code: "unusable-data",
      message: expect.stringMatching(/: no pictures in this folder; 1 \.txt was not looked at/),
    });
  });

  it("are drawn on a sheet with distances, folders and names below; a sheet of another kind is refused", async () => {
    const sheet = join(scratch, "sheet.png");
    const { stderr } = alexnet("similar", run, train, query, "--count", "2", "--sheet", sheet, "--threads", "1");
    expect(stderr).toContain(`${sheet}: 1 row\n`);
    const { width, height } = await sharp(sheet).metadata();
    expect([width, height]).toEqual([4 + 3 * 196 + 8, 4 + 196 + 36]);
    const below = await sharp(sheet).extract({ left: 4, top: 196, width: 192, height: 36 }).greyscale().stats();
    expect(below.channels[0].min).toBeLessThan(100);
    const other = alexnet("similar", run, train, query, "--sheet", join(scratch, "sheet.svg"));
    expect(other).toMatchObject({ status: 2, stderr: expect.stringContaining("a sheet is a PNG") });
  });

  it("leave the picture itself out", async () => {
    const own = join(train, "lake", "2.png");
    const { queries } = await findSimilar(options({ queries: [own], count: 100 }));
    expect(queries[0].neighbours).toHaveLength(23);
  });

  it("search what features wrote, but not another network's or of another layer", async () => {
    const out = join(scratch, "set.safetensors");
    await features({ run, pictures: [train], out, format: "safetensors", ...quick });
    const kept = await findSimilar(options({ set: out }));
    expect(kept).toMatchObject({ index: out, reused: true });
    const direct = await findSimilar(options());
    expect(kept.queries[0].neighbours.map(({ distance }) => distance)).toEqual(
      direct.queries[0].neighbours.map(({ distance }) => distance),
    );
    await expect(findSimilar(options({ set: out, layer: "conv1" }))).rejects.toThrow(/features of relu2, not of conv1/);
    await expect(findSimilar(options({ index: out }))).rejects.toThrow(
      /holds features that were not made for a search/,
    );
    const foreign = join(scratch, "foreign.safetensors");
    const bytes = readFileSync(out, "latin1");
    const model = /"model":"([0-9a-f]{64})"/.exec(bytes)?.[1] ?? "";
    writeFileSync(foreign, bytes.replace(model, "0".repeat(64)), "latin1");
    await expect(findSimilar(options({ set: foreign }))).rejects.toThrow(/features of another network/);
  });

  it("on the command line: a list, JSON and a contact sheet", async () => {
    const sheet = join(scratch, "sheet.png");
    const args = ["similar", run, train, query, "--count", "2", "--threads", "1"];
    const { status, stdout, stderr } = alexnet(...args, "--sheet", sheet);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/1\.png\n +\d+\.\d{3} {2}\S+\.png\n +\d+\.\d{3} {2}\S+\.png\n$/);
    const { width, height } = await sharp(sheet).metadata();
    expect({ width, height }).toEqual({ width: 3 * 196 + 4 + 8, height: 196 + 36 + 4 });
    const json = JSON.parse(alexnet(...args, "--json").stdout);
    expect(json.queries[0]).toMatchObject({ file: query, neighbours: [{}, {}] });
  });
});
