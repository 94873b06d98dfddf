import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll } from "vitest";
import { sharp } from "#src/images/sharp.js";
import { temporaryFolder } from "./folders.js";

const colours = { apple: [200, 40, 30], lake: [30, 60, 200], meadow: [50, 180, 60] } as const;

export interface PictureFolder {
  /** train/<class>/ and val/<class>/. */
  readonly path: string;
  /** For runs and the like. */
  readonly scratch: string;
  /** A path for a run that is not there yet: another each time. */
  newRun(): string;
}

/** As many of each class, or a number for each. */
type Counts = number | readonly [apple: number, lake: number, meadow: number];

/** Pictures of three classes that differ by colour, made once a test file; prepared stores go away with them. */
export function drawnPictures(perClass: { readonly train: Counts; readonly val: Counts }): PictureFolder {
  const scratch = temporaryFolder();
  const path = join(scratch, "pictures");
  beforeAll(async () => {
    process.env.ALEXNET_CACHE = join(scratch, "cache");
    for (const [split, counts] of Object.entries(perClass))
      for (const [label, [name, [r, g, b]]] of Object.entries(colours).entries()) {
        const count = typeof counts === "number" ? counts : counts[label];
        const folder = join(path, split, name);
        mkdirSync(folder, { recursive: true });
        for (let i = 0; i < count; i++) {
          const background = { r: r + (i % 7) * 6 - 20, g: g + (i % 5) * 6, b: b + (i % 3) * 9 };
          const image = sharp({ create: { width: 40 + i, height: 50, channels: 3, background } });
          await image.png().toFile(join(folder, `${i}.png`));
        }
      }
  });
  let runs = 0;
  return { path, scratch, newRun: () => join(scratch, "runs", String(++runs)) };
}
