import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folders.js";
import { drawSome, prepareHere, useStore, write } from "../support/stores.js";

const hasPython = spawnSync("python3", ["--version"]).status === 0;

/** The reader as people copy it. */
function readerInDocs(): string {
  const text = readFileSync(new URL("../../docs/formats.md", import.meta.url), "utf8");
  const [, code] = /```python\n([\s\S]*?)```/.exec(text) ?? [];
  return code ?? "";
}

const main = `
import hashlib, json, sys
store = dict(read_store(sys.argv[1]))
info = json.loads(bytes(store["info"]))
print(json.dumps({
    "keys": sorted(store), "info": info, "classes": json.loads(bytes(store["classes"])),
    "labels": {s: list(memoryview(bytes(store["labels/" + s])).cast("i")) for s in ("train", "val")},
    "mean": hashlib.sha256(store["mean"]).hexdigest(),
    "pictures": {s: [hashlib.sha256(store[f"picture/{s}/{i:08}"]).hexdigest() for i in range(info["counts"][s])]
                 for s in ("train", "val")},
    "names": [bytes(store[f"record/train/{i:08}"][36:]).decode() for i in range(info["counts"]["train"])],
}))
`;

test("the Python reader in docs/formats.md has ten lines", () => {
  const [, body] = readerInDocs().split(/^ {4}""".*"""\n/m);
  expect(body.trimEnd().split("\n")).toHaveLength(10);
});

test.skipIf(!hasPython).each(["raw", "jpeg"] as const)(
  "the Python reader in docs/formats.md reads a %s store (needs python3)",
  async (encoding) => {
    const source = temporaryFolder();
    write(source, { ...(await drawSome("a/", 90, 1)), ...(await drawSome("é/", 30, 2)), "a/bad.jpg": "" });
    const { path } = await prepareHere({ source, encoding });
    const python = spawnSync("python3", ["-c", readerInDocs() + main, path], { encoding: "utf8" });
    expect(python.stderr).toBe("");
    const read = JSON.parse(python.stdout);
    await useStore(path, (store) => {
      const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
      const pictures = (split: "train" | "val") =>
        Array.from({ length: store.count(split) }, (_, i) => hash(store.encoded(split, i)));
      expect(read).toEqual({
        keys: expect.arrayContaining(["info", "picture/train/00000000", "skipped/00000000"]),
        info: store.info,
        classes: ["a", "é"],
        labels: { train: [...store.labels("train")], val: [...store.labels("val")] },
        mean: hash(new Uint8Array(store.mean.buffer)),
        pictures: { train: pictures("train"), val: pictures("val") },
        names: Array.from({ length: store.count("train") }, (_, i) => store.fileName("train", i)),
      });
      expect(read.keys.filter((key: string) => key.startsWith("work/"))).toEqual([]);
    });
  },
);
