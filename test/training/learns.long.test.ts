import { expect, test } from "vitest";
import { variants } from "#src/network/networks.js";
import { train } from "#src/training/train.js";
import { drawnPictures } from "../support/pictures.js";

/** Every network learns by the recipe that is chosen for it: a quarter of its width, three classes told by colour. */

const pictures = drawnPictures({ train: 16, val: 8 });

/** In batches as small as here original-2012 overflows: its recipe is made for 128 pictures. */
const learning = variants.map(({ network }) => network).filter(({ name }) => name !== "original-2012");

test.each(learning.map((network) => ({ name: network.name, network })))(
  "$name learns with no option given about how",
  async ({ network }) => {
    const { best } = await train({
      data: pictures.path,
      run: pictures.newRun(),
      network,
      width: 0.25,
      batchSize: 8,
      epochs: 10,
    });
    expect(best?.error).toBeLessThan(1 / 3); // of guessing: 2 / 3
  },
  600_000,
);
