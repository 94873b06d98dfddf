import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { recipeSchema } from "#src/recipes/recipe.js";
import { alexnet } from "../support/command-line.js";
import { commandsIn, documentation, linksIn, placesIn } from "../support/documentation.js";

const pages = documentation();
const page = (path: string): string => pages.find((one) => one.path === path)?.text ?? "";

/** The names between backticks in the first cells of a page's tables. */
function firstCells(text: string): readonly string[] {
  return [...text.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  );
}

describe("links", () => {
  it("lead to files that are there, and to headings that are in them", () => {
    const dead = pages.flatMap(({ path, text }) =>
      linksIn(text)
        .filter((target) => !/^(?:https?|mailto):/.test(target))
        .filter((target) => {
          const [file = "", place] = target.split("#");
          const led = file === "" ? path : normalize(join(dirname(path), file));
          if (!existsSync(led)) return true;
          return place !== undefined && !placesIn(readFileSync(led, "utf8")).includes(place);
        })
        .map((target) => `${path}: ${target}`),
    );
    expect(dead).toEqual([]);
    expect(pages.flatMap(({ text }) => linksIn(text)).length).toBeGreaterThan(100);
  });
});

describe("docs/recipes.md", () => {
  it("has every field that a recipe has, and no other", () => {
    const section = /## Every field\n(.*?)\n## /s.exec(page("docs/recipes.md"))?.[1] ?? "";
    expect([...firstCells(section)].sort()).toEqual(Object.keys(recipeSchema.shape).sort());
  });

  it("has every field of an initialisation, and every policy", () => {
    const section = /## Initialisation\n(.*?)\n## |## Initialisation\n(.*)/s.exec(page("docs/recipes.md"))?.[0] ?? "";
    const { initialisation, policy } = recipeSchema.shape;
    expect([...firstCells(section)].sort()).toEqual(Object.keys(initialisation.unwrap().shape).sort());
    const kinds = policy.options.flatMap((option) => [...option.unwrap().shape.kind.values]);
    expect(kinds.length).toBeGreaterThan(3);
    expect(kinds.filter((kind) => !page("docs/recipes.md").includes(`"kind": "${kind}"`))).toEqual([]);
  });
});

describe("docs/environment.md", () => {
  it("has every variable that the program reads", () => {
    const files = readdirSync("src", { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join("src", name));
    const read = [...files, "scripts/setup"].flatMap((file) => variablesIn(readFileSync(file, "utf8")));
    const named = firstCells(page("docs/environment.md"));
    expect(new Set(read).size).toBeGreaterThan(12);
    expect([...new Set(read)].filter((name) => !named.includes(name))).toEqual([]);
  });
});

/** `env.NAME`, `{ NAME, OTHER = "" } = process.env`, and what has the program's own prefix, in whatever way it is read. */
function variablesIn(source: string): readonly string[] {
  const taken = [...source.matchAll(/\{([^{}]*)\} = (?:process\.env|environment)\b/g)].flatMap(([, names = ""]) =>
    names.split(",").map((name) => name.replace(/[:=].*/, "").trim()),
  );
  const asked = [...source.matchAll(/\benv\.([A-Z][A-Z_0-9]+)\b/g)].map(([, name = ""]) => name);
  const own = [...source.matchAll(/\bALEXNET_[A-Z_]+[A-Z]\b/g)].map(([name]) => name);
  return [...taken, ...asked, ...own].filter((name) => name !== "");
}

describe("docs/troubleshooting.md", () => {
  it("explains messages that the program has", () => {
    const section = /## What does this message mean\?\n(.*?)\n## /s.exec(page("docs/troubleshooting.md"))?.[1] ?? "";
    const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join("src", name), "utf8"))
      .join("\n");
    const messages = firstCells(section);
    expect(messages.length).toBeGreaterThan(10);
    expect(messages.filter((message) => !sources.includes(message))).toEqual([]);
  });
});

describe("commands in the documentation", () => {
  const shown = pages
    .filter(({ path }) => !["docs/commands.md", "CHANGELOG.md"].includes(path))
    .flatMap(({ path, text }) => commandsIn(text).map((command) => ({ path, command })));

  it("exist, so does each option given to them, and docs/commands.md has their help", { timeout: 240_000 }, () => {
    const names = new Set(shown.map(({ command }) => nameOf(command)));
    const help = new Map([...names].map((name) => [name, alexnet(...name.split(" "), "--help")]));
    const wrong = shown.filter(({ command }) => {
      const { status, stdout } = help.get(nameOf(command)) ?? { status: 1, stdout: "" };
      const options = [...command.matchAll(/ (--?[a-z][\w-]*)/g)].map(([, option = ""]) => option);
      return status !== 0 || options.some((option) => !new RegExp(`(?:^|[ ,])${option}(?:[ ,]|$)`, "m").test(stdout));
    });
    expect(shown.length).toBeGreaterThan(60);
    expect(wrong).toEqual([]);
    const reference = page("docs/commands.md");
    const outdated = [...help].filter(([, { stdout }]) => !reference.includes(stdout.trim())).map(([name]) => name);
    expect(outdated, "run: node scripts/document-commands.js").toEqual([]);
  });
});

/** "train", "bench loader". */
function nameOf(command: string): string {
  const [, name = "", next = ""] = command.split(/\s+/);
  return name === "bench" && /^[a-z]/.test(next) ? `${name} ${next}` : name;
}
