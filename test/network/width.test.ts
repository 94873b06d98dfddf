import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paper } from "#src/network/architectures/paper.js";
import { networks } from "#src/network/networks.js";
import { parameterCount } from "#src/network/parameters.js";
import { inferShapes } from "#src/network/shapes.js";
import { classCount, scaleWidth } from "#src/network/transform.js";

const maps = (width: number): Record<string, number> =>
  Object.fromEntries(inferShapes(scaleWidth(paper, width)).map(({ layer, output }) => [layer.name, output.channels]));

describe("the width", () => {
  it("scales the maps of every layer but the classes, to whole vectors a group", () => {
    expect(maps(0.25)).toMatchObject({
      conv1: 32,
      conv2: 64,
      conv3: 96,
      conv4: 96,
      conv5: 64,
      fc6: 1024,
      fc7: 1024,
      fc8: 1000,
    });
    expect(maps(2)).toMatchObject({ conv1: 192, conv5: 512, fc6: 8192, fc8: 1000 });
    expect(scaleWidth(paper, 1)).toEqual(paper);
  });

  it("keeps every network whole: groups divide what they split, nothing vanishes", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(networks)),
        fc.double({ min: 1e-3, max: 2, noNaN: true }),
        (network, width) => {
          const scaled = scaleWidth(network, width);
          expect(() => inferShapes(scaled)).not.toThrow();
          expect(classCount(scaled)).toBe(classCount(network));
          expect(scaled.layers.map(({ name }) => name)).toEqual(network.layers.map(({ name }) => name));
        },
      ),
      { seed: 1 },
    );
  });

  it("changes the parameters about as its square", () => {
    expect(parameterCount(scaleWidth(paper, 0.5)) / parameterCount(paper)).toBeGreaterThan(0.25);
    expect(parameterCount(scaleWidth(paper, 0.5)) / parameterCount(paper)).toBeLessThan(0.3);
  });

  it.each([0, -1, 17, Number.NaN])("can't be %s", (width) => {
    expect(() => scaleWidth(paper, width)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
