import { expect, test } from "vitest";
import { paper } from "#src/network/architectures/paper.js";
import type { Network } from "#src/network/network.js";
import { variants } from "#src/network/networks.js";
import { train } from "#src/training/train.js";
import { drawnPictures } from "../support/pictures.js";

/** Every network learns by the recipe that is chosen for it: a quarter of its width, three classes told by colour. */

const pictures = drawnPictures({ train: 16, val: 8 });

const withoutNorms: Network = {
  ...paper,
  name: "paper-without-norms",
  layers: paper.layers.filter(({ kind }) => kind !== "local-response-norm"),
};

const learning = [...variants.map(({ network }) => network), withoutNorms];

test.each(learning.map((network) => ({ name: network.name, network })))(
  "$name learns with no option given about how",
  async ({ network }) => {
    const { best } = await train({
      data: pictures.path,
      run: pictures.newRun(),
      network,
      width: 0.25,
      ...(network.input.size < 64 && { preparation: { size: network.input.size } }),
    });
    expect(best?.error).toBeLessThan(1 / 3); // of guessing: 2 / 3
  },
  600_000,
);
