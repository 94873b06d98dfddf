import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { documentation, withoutBlocks } from "../support/documentation.js";

/** Turns of phrase that readers stumbled over, and what they expect. */
const old: readonly (readonly [found: RegExp, expected: string])[] = [
  [/gone on with/, "resumed"],
  [/\bhangs? on\b/, "depends on"],
  [/can't be meant/, "invalid"],
  [/turned round/, "BGR converted to RGB"],
  [/keeps nothing/, "writes no files"],
  [/all there is\b/, "all commands"],
  [/say what is on pictures/, "classify images"],
  [/(?:is|are|were) taken for\b(?! granted)/, "predicted as"],
  [/times as many maps|(?:all|55x55|fewer|the) maps\b/, "feature maps"],
  [/(?:the|of|over|times the) deviations?\b/, "standard deviation"],
];

const named = (text: string): readonly string[] =>
  old.flatMap(([found, expected]) => {
    const [words] = found.exec(text) ?? [];
    return words === undefined ? [] : [`"${words}": say "${expected}"`];
  });

/** Lines that a program prints or a page shows: texts between quotes or tags, of this project's own sources. */
function shown(source: string): string {
  const lines = source.split("\n").filter((line) => !/^\s*(?:\/\/|\*|\/\*)/.test(line));
  return lines
    .flatMap((line) => [...line.matchAll(/"([^"]* [^"]*)"|`([^`]* [^`]*)`|>([^<>{}]* [^<>{}]*)</g)])
    .map(([, quoted = "", template = "", inTag = ""]) => quoted + template + inTag)
    .join("\n");
}

describe("the field's words", () => {
  it("are those of the documentation", () => {
    const pages = documentation().filter(({ path }) => path !== "CHANGELOG.md" && !path.includes("contributing"));
    // What is in backticks is a name.
    const found = pages.flatMap(({ path, text }) =>
      named(path === "docs/commands.md" ? text : withoutBlocks(text).replaceAll(/`[^`\n]*`|\]\([^)]*\)/g, "")).map(
        (mistake) => `${path}: ${mistake}`,
      ),
    );
    expect(found).toEqual([]);
  });

  it("are those of messages, help texts and pages", () => {
    const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name));
    const texts = files.map((name) => ({ name, text: shown(readFileSync(join("src", name), "utf8")) }));
    expect(texts.some(({ text }) => text.includes("multiplies the feature maps of every layer"))).toBe(true);
    expect(texts.flatMap(({ name, text }) => named(text).map((mistake) => `src/${name}: ${mistake}`))).toEqual([]);
  });
});
