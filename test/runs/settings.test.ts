import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeProblem } from "#src/cli/display/failures.js";
import { AlexnetError } from "#src/errors.js";
import { RunFolder } from "#src/runs/folder.js";
import { readConfig, settings } from "#src/runs/settings.js";
import { alexnet } from "../support/command-line.js";
import { temporaryFolder } from "../support/folders.js";

/** As the version before the table of settings wrote it. */
const before = join(import.meta.dirname, "config-of-before.json");
const written = JSON.parse(readFileSync(before, "utf8"));

function changed(change: (config: typeof written) => void): string {
  const path = join(temporaryFolder(), "config.json");
  const config = structuredClone(written);
  change(config);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Fields of recipes that came later. */
const newer = { warmUp: 0, crops: true, mirrors: true, meanSubtraction: "image" };

test("a config.json of before the table of settings is read, and every field is kept as it was", () => {
  const { data, ...others } = readConfig(before);
  const { data: dataBefore, ...othersBefore } = written;
  expect(others).toEqual({ ...othersBefore, balance: "none", recipe: { ...written.recipe, ...newer } });
  expect(data).toEqual({ ...dataBefore, preparation: { size: 256, ...dataBefore.preparation } });
});

test("it is written again with the fields in their order", () => {
  const folder = new RunFolder(temporaryFolder());
  cpSync(before, folder.file("config.json"));
  const config = folder.readConfig();
  folder.writeConfig(config);
  const text = readFileSync(folder.file("config.json"), "utf8");
  expect(
    text.replace(
      / {6}"size": 256,\n| {4}"(warmUp|crops|mirrors|meanSubtraction)": .*,\n| {2}"balance": "none",\n/g,
      "",
    ),
  ).toBe(`${JSON.stringify(written, undefined, 2)}\n`);
});

test("settings that older runs don't have take their defaults", () => {
  const path = changed((config) => {
    for (const name of ["base", "precision", "resident"]) delete config[name];
  });
  expect(readConfig(path)).toMatchObject({ base: null, precision: null, resident: true });
});

test.each([
  ["keep", (config: typeof written) => (config.keep = 0)],
  ["seed", (config: typeof written) => delete config.seed],
  ["engine", (config: typeof written) => (config.engine = "abacus")],
  ["recipe.momentum", (config: typeof written) => delete config.recipe.momentum],
  ["data.preparation.valFraction", (config: typeof written) => (config.data.preparation.valFraction = 1)],
])("a config.json whose %s can't be is damaged, and the field is named", (field, change) => {
  expect(() => readConfig(changed(change))).toThrow(
    expect.objectContaining({ code: "damaged-file", message: expect.stringContaining(`→ at ${field}`) }),
  );
});

test("every setting is a flag of alexnet train, with the table's help, under its heading", () => {
  const help = alexnet("train", "--help").stdout.replace(/\s+/g, " ");
  for (const { flag, help: said } of Object.values(settings)) expect(help).toContain(`${flag} ${said}`);
});

test("hints name a setting by its flag on the command line", () => {
  const said = (option: string) => describeProblem(new AlexnetError("invalid-option", "x", { hint: { option } }));
  for (const [name, { flag }] of Object.entries(settings)) expect(said(name)).toBe(`x; set ${flag.split(" ")[0]}`);
  expect(said("preparation.valFraction")).toBe("x; set --val-fraction");
});

test("the page about long runs names the flags of all settings that a run which goes on may change", () => {
  const page = readFileSync("docs/training.md", "utf8");
  const named = (change: string): readonly string[] =>
    Object.values(settings).flatMap((row) => (row.change === change ? [`\`${row.flag.split(" ")[0]}`] : []));
  const [free = ""] = /^[^\n]*\n[^\n]*are free to change when a run goes on/m.exec(page) ?? [];
  for (const flag of named("freely")) expect(free).toContain(flag);
  const [override = ""] = /^\| `--override`.*$/m.exec(page) ?? [];
  for (const flag of named("with override")) expect(override).toContain(flag);
});
