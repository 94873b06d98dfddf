import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { sharp } from "#src/images/sharp.js";
import { temporaryFolder } from "./support/folders.js";

const folder = temporaryFolder();

/** Two classes, red and blue, told apart by anything that learns. */
async function drawPhotos(): Promise<void> {
  for (const [name, background] of Object.entries({ red: "#c03020", blue: "#2040b0" }))
    for (const [split, count] of Object.entries({ train: 6, val: 2 })) {
      const path = join(folder, "photos", split, name);
      mkdirSync(path, { recursive: true });
      for (let i = 0; i < count; i++)
        await sharp({ create: { width: 300 + 20 * i, height: 280, channels: 3, background } })
          .jpeg()
          .toFile(join(path, `${i}.jpg`));
    }
}

describe("README", () => {
  it("has a library program that runs", async () => {
    const program = /```ts\n([\s\S]*?)```/.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";
    expect(program).toContain('from "alexnet"');
    const library = pathToFileURL("dist/index.js").href;
    const quicker = program.replace("epochs: 20", "epochs: 3").replace("width: 0.25", "width: 0.1");
    writeFileSync(join(folder, "program.mjs"), quicker.replace('"alexnet"', JSON.stringify(library)));
    await drawPhotos();
    const { stdout } = await promisify(execFile)(process.execPath, ["program.mjs"], { cwd: folder });
    expect(stdout.match(/^epoch \d+: loss \d/gm)).toHaveLength(3);
    expect(stdout).toMatch(/^\d of 4 right$/m);
    expect(stdout.match(/photos\/val\/(red|blue)\/\d\.jpg/g)).toHaveLength(4);
  }, 300_000);
});
