import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as library from "#src/index.js";

const page = readFileSync("docs/library.md", "utf8");
const index = readFileSync("src/index.ts", "utf8");

/** The names in `export { … }` of index.ts, types among them, as they are exported. */
const names = [...index.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = ""]) =>
  list
    .split(",")
    .map((part) => part.trim().replace(/^type /, ""))
    .filter((part) => part !== "")
    .map((part) => part.replace(/^.* as /, "")),
);

/** All that the page has in code: between backticks, or in a block. */
const code = [
  ...page.matchAll(/^```\w*\n(.*?)^```$/gms),
  ...page.replaceAll(/^```\w*\n.*?^```$/gms, "").matchAll(/`([^`]+)`/g),
]
  .map(([, text = ""]) => text)
  .join("\n");

describe("docs/library.md", () => {
  it("has every name that the package exports", () => {
    expect(names.length).toBeGreaterThan(100);
    expect(Object.keys(library).filter((name) => !names.includes(name))).toEqual([]);
    expect(names.filter((name) => !new RegExp(`\\b${name}s?\\b`).test(code))).toEqual([]);
  });

  it("has every code that errors have, and no other", () => {
    const union = /export type ErrorCode =(.*?);/s.exec(readFileSync("src/errors.ts", "utf8"))?.[1] ?? "";
    const codes = [...union.matchAll(/\| "([a-z-]+)"/g)].map(([, code = ""]) => code);
    expect(codes.length).toBeGreaterThan(10);
    const table = /\| code \| what went wrong \|\n.*?\n\n/s.exec(page)?.[0] ?? "";
    const rows = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([a-z-]+)`/g)].map(([, code = ""]) => code),
    );
    expect(rows.sort()).toEqual(codes.sort());
  });

  it("has every method of an open model", () => {
    const source = readFileSync("src/evaluation/open-model.ts", "utf8");
    const declared = /export interface OpenModel .*?^\}/ms.exec(source)?.[0] ?? "";
    const methods = [...declared.matchAll(/^ {2}(\w+)\(/gm)].map(([, name = ""]) => name);
    expect(new Set(methods).size).toBe(10);
    expect(methods.filter((name) => !page.includes(`| \`${name}(`))).toEqual([]);
  });
});
