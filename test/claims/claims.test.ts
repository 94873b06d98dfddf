import { expect, it } from "vitest";
import { claimByName, claims } from "#src/claims/claims.js";
import { estimateSeconds } from "#src/claims/estimate.js";
import { CLAIM_PICTURE_SIZE } from "#src/claims/ingredients.js";
import { parseNetwork } from "#src/network/parse.js";
import { inferShapes, type Shape } from "#src/network/shapes.js";

it.each(claims)("$name has arms that are networks for pictures of 32x32, and train", ({ arms }) => {
  for (const { network, trainedAs } of arms) {
    expect(parseNetwork(JSON.parse(JSON.stringify(network)), network.name)).toEqual(network);
    expect(network.input.size).toBeLessThanOrEqual(CLAIM_PICTURE_SIZE);
    if (trainedAs !== undefined) expect(arms.map(({ name }) => name)).toContain(trainedAs);
  }
  expect(new Set(arms.map(({ name }) => name)).size).toBe(arms.length);
});

it("compares overlapping windows with others at maps of equal sizes", () => {
  const [treatment, control] = claimByName("overlap").arms.map(({ network }) => inferShapes(network));
  const outputs = (layers: ReturnType<typeof inferShapes> = []): readonly Shape[] => layers.map(({ output }) => output);
  expect(outputs(control)).toEqual(outputs(treatment));
});

it("changes one thing between the sides of each claim", () => {
  for (const { name, arms, rates } of claims) {
    const [{ network, recipe, views = 1 }, other] = arms;
    const differ = [
      JSON.stringify(network.layers) !== JSON.stringify(other.network.layers),
      JSON.stringify(recipe) !== JSON.stringify(other.recipe),
      views !== (other.views ?? 1),
    ];
    expect([name, differ.filter(Boolean).length]).toEqual([name, 1]);
    if (name === "relu" || name === "norm") expect(rates?.length).toBeGreaterThan(2);
  }
});

it("estimates times in proportion to pictures, seeds aside from the search", () => {
  const claim = claimByName("relu");
  const size = { pictures: 1000, seeds: 2, epochs: 8 };
  const once = estimateSeconds(claim, size, 1e9);
  expect(estimateSeconds(claim, { ...size, pictures: 3000 }, 1e9)).toBeCloseTo(3 * once);
  expect(estimateSeconds(claim, { ...size, seeds: 5 }, 1e9)).toBeCloseTo((once * (5 * 8 + 4 * 2)) / (2 * 8 + 4 * 2));
});

it("names the claims there are where one is asked for that there is not", () => {
  expect(() => claimByName("sigmoid")).toThrow("no claim is named sigmoid; there are: relu, norm,");
});
