import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { paper } from "#src/network/architectures/paper.js";
import type { Network } from "#src/network/network.js";
import { networks } from "#src/network/networks.js";
import { chooseRecipe, recipeByName, recipes, resolveRecipe } from "#src/recipes/recipes.js";
import { temporaryFolder } from "../support/folders.js";

test("the paper's recipe has the paper's numbers", () => {
  expect(recipeByName("paper")).toMatchObject({
    epochs: 90,
    batchSize: 128,
    learningRate: 0.01,
    momentum: 0.9,
    weightDecay: 0.0005,
    policy: { kind: "plateau", factor: 10, drops: 3 },
    initialisation: { deviation: 0.01, biases: { conv2: 1, conv4: 1, conv5: 1, fc6: 1, fc7: 1 } },
    inputScale: 1,
    colourDeviation: 0.1,
  });
});

const norms = (k: number, beta: number, count: number): Network => ({
  ...paper,
  layers: paper.layers
    .filter(({ kind, name }) => kind !== "local-response-norm" || name <= `norm${count}`)
    .map((layer) => (layer.kind === "local-response-norm" ? { ...layer, k, beta } : layer)),
});

test.each([
  [1, "small"],
  [99_999, "small"],
  [100_000, "paper"],
])("%i pictures are trained by %s, and the reason is given", (pictures, name) => {
  const { recipe, reason, hint } = chooseRecipe(undefined, { network: paper, pictures });
  expect(recipe.name).toBe(name);
  expect(reason).toContain(pictures.toLocaleString("en-US"));
  expect(hint).toMatchObject({ option: "recipe", value: name === "small" ? "paper" : "small" });
});

test.each<[string, Network, string]>([
  ["paper", paper, "small"],
  ["original-2012", networks["original-2012"], "small"],
  ["caffe", networks.caffe, "small-unnormalised"],
  ["caffenet", networks.caffenet, "small-unnormalised"],
  ["one-weird-trick", networks["one-weird-trick"], "small-unnormalised"],
  ["paper without norms", norms(2, 0.75, 0), "small-unnormalised"],
  ["paper with one norm", norms(2, 0.75, 1), "small-unnormalised"],
  ["norms of another kind that divide as much", norms(3, 0.5, 2), "small"],
])("small sets, %s: its norms decide about the recipe", (_, network, name) => {
  const { recipe, reason } = chooseRecipe(undefined, { network, pictures: 5000 });
  expect(recipe.name).toBe(name);
  expect(reason.includes("without norms like the paper's")).toBe(name !== "small");
  expect(chooseRecipe(undefined, { network, pictures: 5_000_000 }).hint).toMatchObject({ value: name });
});

test("a recipe asked for wins over the pictures and the network", () => {
  const learning = { network: networks.caffe, pictures: 10 };
  expect(chooseRecipe("paper", learning).recipe.name).toBe("paper");
  expect(chooseRecipe({ ...recipes.small, name: "mine" }, learning).recipe.name).toBe("mine");
});

test("an unknown name is an error that lists the known ones", () => {
  expect(() => recipeByName("quick")).toThrow("no recipe is named quick; there are: paper, small");
  expect(() => recipeByName("toString")).toThrow("no recipe is named");
});

test("a recipe's file is read whole; what is wrong with one is named with its field", () => {
  const file = join(temporaryFolder(), "mine.json");
  const write = (recipe: unknown) => writeFileSync(file, JSON.stringify(recipe));
  write({ ...recipes.small, name: "mine", momentum: 0.5 });
  expect(resolveRecipe(file)).toEqual({ ...recipes.small, name: "mine", momentum: 0.5 });
  write({ ...recipes.small, epochs: -1 });
  expect(() => resolveRecipe(file)).toThrow(`${file}: epochs is -1; give a whole number from 1`);
  write({ ...recipes.small, momentun: 0.5 });
  expect(() => resolveRecipe(file)).toThrow(`${file}: there is no option momentun; did you mean momentum?`);
  writeFileSync(file, "{");
  expect(() => resolveRecipe(file)).toThrow(`${file}: is not JSON`);
  expect(() => resolveRecipe("none.json")).toThrow("none.json: can't be read");
  expect(resolveRecipe("paper")).toBe(recipes.paper);
});
