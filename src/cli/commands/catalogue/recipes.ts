import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { describeRates } from "../../../recipes/policy.js";
import { recipeByName, recipes } from "../../../recipes/recipes.js";
import { printJson, printLine, printTable } from "../../display/print.js";
import { addTyped } from "../../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("recipes")
      .description("list the recipes to train by, or print one as JSON to begin your own from")
      .argument("[name]", "of a recipe: print its fields, as --recipe takes them")
      .option("--json", "print JSON")
      .action((name, { json }) => {
        if (name !== undefined) return printJson(recipeByName(name));
        if (json) return printJson(Object.values(recipes));
        printTable(
          ["recipe", "epochs", "batch", "learning rate"],
          Object.values(recipes).map((recipe) => [
            recipe.name,
            String(recipe.epochs),
            String(recipe.batchSize),
            describeRates(recipe),
          ]),
        );
        printLine("\nYour own: alexnet recipes small > mine.json, change it, and train with --recipe mine.json");
      }),
  );
}
