import { expect, test } from "vitest";
import { chooseRecipe, recipeByName, recipes } from "#src/recipes/recipes.js";

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

test.each([
  [1, "small"],
  [99_999, "small"],
  [100_000, "paper"],
])("%i pictures are trained by %s, and the reason is given", (pictures, name) => {
  const { recipe, reason, hint } = chooseRecipe(undefined, pictures);
  expect(recipe.name).toBe(name);
  expect(reason).toContain(pictures.toLocaleString("en-US"));
  expect(hint).toMatchObject({ option: "recipe", value: name === "small" ? "paper" : "small" });
});

test("a recipe asked for wins over the number of pictures", () => {
  expect(chooseRecipe("paper", 10).recipe.name).toBe("paper");
  expect(chooseRecipe({ ...recipes.small, name: "mine" }, 10).recipe.name).toBe("mine");
});

test("an unknown name is an error that lists the known ones", () => {
  expect(() => recipeByName("quick")).toThrow("no recipe is named quick; there are: paper, small");
  expect(() => recipeByName("toString")).toThrow("no recipe is named");
});
