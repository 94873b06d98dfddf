import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { evaluate } from "#src/evaluation/evaluate.js";
import { exportModel } from "#src/formats/export.js";
import { importModel } from "#src/formats/import.js";
import { variants } from "#src/network/networks.js";
import { checkpointPath } from "#src/runs/checkpoint/keep.js";
import { readModel } from "#src/runs/checkpoint/read.js";
import { train } from "#src/training/train.js";
import { expectSameModel } from "../support/models.js";
import { drawnPictures } from "../support/pictures.js";
import { tinyNetwork } from "../support/training.js";

const { path, scratch } = drawnPictures({ train: 4, val: 2 });
const quick = { engine: "onednn", threads: 1 } as const;
const own = join(scratch, "own.json");
const names = [...variants.map(({ network }) => network.name), own];

describe.each(names)("%s", (name) => {
  it("is trained, evaluated, exported, imported and gone on from", async () => {
    const id = String(names.indexOf(name));
    writeFileSync(own, JSON.stringify(tinyNetwork));
    const run = join(scratch, "run", id);
    const learning = { data: path, epochs: 1, batchSize: 6, ...quick } as const;
    await train({ ...learning, run, network: name, width: name === own ? 1 : 1 / 24 });
    const model = readModel(checkpointPath(join(run, "checkpoints"), "last"));
    expect(model.network.name).toBe(name === own ? "tiny" : name);
    expect(model.classes).toHaveLength(3);
    expect(await evaluate({ run, ...quick })).toMatchObject({ samples: 6 });
    for (const [format, ending] of [
      ["onnx", "onnx"],
      ["safetensors", "safetensors"],
      ["pytorch", "pth"],
    ] as const) {
      const file = join(scratch, `${id}.${ending}`);
      await exportModel(model, file, { format });
      const imported = await importModel(file);
      expect(imported).toMatchObject({ format, assumptions: [] });
      expectSameModel(imported.model, model);
    }
    const summary = await train({ ...learning, run: join(scratch, "tuned", id), from: join(scratch, `${id}.pth`) });
    expect(summary.steps).toBe(2);
  });
});
