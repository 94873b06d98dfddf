import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodePicture } from "#src/images/decode/decode.js";
import { readSynsets } from "#src/store/sources/meta-mat.js";
import { difference } from "../../support/draw.js";
import { temporaryFolder } from "../../support/folders.js";
import { drawSome, prepareHere, useStore, write } from "../../support/stores.js";

/** Runs a program where Python has what it imports; undefined where it hasn't. */
function canImport(...modules: readonly string[]): boolean {
  return spawnSync("python3", ["-c", `import ${modules.join(", ")}`]).status === 0;
}

function python(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync("python3", ["-c", program, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

/** Five pictures of two classes as files, and what a store of them must hold. */
async function drawFiles() {
  const folder = temporaryFolder();
  const drawn = await drawSome("", 5);
  write(folder, drawn);
  const pictures = await Promise.all(Object.values(drawn).map((bytes) => decodePicture(bytes)));
  return { folder, pictures, labels: [1, 0, 0, 1, 1] };
}

async function expectPictures(
  path: string,
  pictures: readonly Uint8Array[],
  classes: readonly string[],
  labels: readonly number[],
) {
  await useStore(path, (store) => {
    expect(store.classes).toEqual(classes);
    expect([...store.labels("train")]).toEqual(labels);
    expect(pictures.map((picture, i) => difference(store.encoded("train", i), picture))).toEqual(pictures.map(() => 0));
  });
}

describe("archives that Python programs write", () => {
  test.skipIf(!canImport("webdataset"))("webdataset's ShardWriter (needs Python's webdataset)", async () => {
    const { folder, pictures, labels } = await drawFiles();
    python(
      `
import sys, glob, webdataset as wds
files = sorted(glob.glob(sys.argv[1] + "/*.jpg"))
with wds.ShardWriter(sys.argv[1] + "/train-%06d.tar", maxcount=3) as sink:
    for i, (file, label) in enumerate(zip(files, ${JSON.stringify(labels)})):
        about = {"cls": label} if i % 2 == 0 else {"json": {"label": label}}
        sink.write({"__key__": f"{i:06}", "jpg": open(file, "rb").read(), **about})
`,
      folder,
    );
    const { path } = await prepareHere({ source: join(folder, "train-{000000..000001}.tar"), valFraction: 0 });
    await expectPictures(path, pictures, ["0", "1"], labels);
  });

  test.skipIf(!canImport("datasets", "PIL"))("datasets' to_parquet (needs Python's datasets and Pillow)", async () => {
    const { folder, pictures, labels } = await drawFiles();
    python(
      `
import sys, glob
from datasets import ClassLabel, Dataset, Features, Image
files = sorted(glob.glob(sys.argv[1] + "/*.jpg"))
features = Features({"image": Image(), "label": ClassLabel(names=["zebra", "ant"])})
images = [{"bytes": open(file, "rb").read(), "path": None} for file in files]
Dataset.from_dict({"image": images, "label": ${JSON.stringify(labels)}}, features=features).to_parquet(
    sys.argv[1] + "/train-00000-of-00001.parquet", batch_size=2)
`,
      folder,
    );
    const { path } = await prepareHere({ source: join(folder, "train-00000-of-00001.parquet"), valFraction: 0 });
    await expectPictures(path, pictures, ["zebra", "ant"], labels);
  });

  test.skipIf(!canImport("pyarrow")).each(["snappy", "zstd", "gzip", "none"])(
    "pyarrow, %s (needs Python's pyarrow)",
    async (compression) => {
      const { folder, pictures, labels } = await drawFiles();
      python(
        `
import sys, glob, pyarrow as pa, pyarrow.parquet as pq
files = sorted(glob.glob(sys.argv[1] + "/*.jpg"))
images = [{"bytes": open(file, "rb").read(), "path": None} for file in files]
table = pa.table({"image": images, "label": ${JSON.stringify(labels)}})
pq.write_table(table, sys.argv[1] + "/set.parquet", compression=sys.argv[2], row_group_size=2)
`,
        folder,
        compression,
      );
      const { path } = await prepareHere({ source: join(folder, "set.parquet"), valFraction: 0 });
      await expectPictures(path, pictures, ["0", "1"], labels);
    },
  );

  test.skipIf(!canImport("scipy.io"))(
    "a meta.mat by scipy, as it reads and writes MATLAB's (needs Python's scipy)",
    () => {
      const path = join(temporaryFolder(), "meta.mat");
      for (const compressed of ["True", "False"]) {
        python(
          `
import sys, numpy as np, scipy.io
rows = [(1, "n02119789", "kit fox, Vulpes macrotis", 1.5), (2, "n02100735", "English setter", 2.5), (1001, "n00001740", "entity", 0.0)]
table = np.zeros((3, 1), dtype=[("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("height", "O")])
for row, (number, wnid, words, height) in zip(table[:, 0], rows):
    row["ILSVRC2012_ID"], row["WNID"], row["words"], row["height"] = np.uint16(number), wnid, words, height
scipy.io.savemat(sys.argv[1], {"other": np.zeros((3, 3)), "synsets": table}, do_compression=${compressed})
`,
          path,
        );
        expect(readSynsets(readFileSync(path))).toEqual([
          { id: 1, wnid: "n02119789", words: "kit fox, Vulpes macrotis" },
          { id: 2, wnid: "n02100735", words: "English setter" },
          { id: 1001, wnid: "n00001740", words: "entity" },
        ]);
      }
    },
  );
});
