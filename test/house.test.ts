import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { expect, test } from "vitest";

/** The rooms of src/ from the bottom of the house to its top: a room uses those before it, never those behind. */
const rooms =
  "errors task random text options version system network recipes images drawing scoring engine distributed model formats " +
  "store runs demo evaluation training benchmark claims doctor report server web cli index";
const order = rooms.split(" ");

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
const room = (file: string): string => (file.split(sep)[0] ?? "").replace(/\.ts$/, "");
const folder = (file: string): string => dirname(file);

/** The file that an import of what it becomes means. */
function sourceOf(built: string): string {
  const source = built.replace(/\.js$/, ".ts");
  return source === built || existsSync(join("src", source)) ? source : `${source}x`;
}

/** Every import of the project's own files: static, dynamic, and of types. */
const imports = files.flatMap((file) =>
  [...readFileSync(join("src", file), "utf8").matchAll(/(?:\bfrom |\bimport\()"(\.[^"]+)"/g)].map(([, path = ""]) => ({
    file,
    imported: sourceOf(normalize(join(dirname(file), path))),
  })),
);

test("every file of src/ stands in a room that has its place in the order", () => {
  expect(files.filter((file) => !order.includes(room(file)))).toEqual([]);
  expect(imports.length).toBeGreaterThan(files.length);
});

test("no file imports from a room further up the house", () => {
  const back = imports.filter(({ file, imported }) => order.indexOf(room(imported)) > order.indexOf(room(file)));
  expect(back.map(({ file, imported }) => `${file} -> ${imported}`)).toEqual([]);
});

test("no folders import each other in a circle, a folder's own subfolders aside", () => {
  expect(circles(folder)).toEqual([]);
});

test("no files import each other in a circle, types included", () => {
  expect(circles((file) => file)).toEqual([]);
});

test("what is outside of engine/ knows no engine's folder, only the contract and the host", () => {
  const inside = imports.filter(
    ({ file, imported }) =>
      room(file) !== "engine" && /^engine.(?:reference|onednn|cuda|webgpu|program)\b/.test(imported),
  );
  expect(inside.map(({ file, imported }) => `${file} -> ${imported}`)).toEqual([]);
});

test("no folder has so many files that nobody finds one", () => {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(folder(file), (counts.get(folder(file)) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > 22)).toEqual([]);
});

/** Other programs' flags, style sheets, and the table that gives each setting of a run its flag. */
const speaksOfFlags = [
  "engine/cuda/native/find.ts",
  "engine/cuda/kernels/compiler.ts",
  "system/threads/call.ts",
  "store/sources/tar.ts",
  "runs/settings.ts",
  "web/components/chart.tsx",
  "web/components/matrix.tsx",
];

test("no file outside of the command line's room has a text that speaks of its flags", () => {
  const texts = /^(?! *(?:\/\/|\*|\/\*)).*["'`][^"'`]*(?<![\w-])--[a-z][a-z-]+/m;
  const found = files
    .map((file) => file.split(sep).join("/"))
    .filter((file) => room(file) !== "cli" && !speaksOfFlags.includes(file))
    .filter((file) => texts.test(readFileSync(join("src", file), "utf8")));
  expect(found).toEqual([]);
  expect(speaksOfFlags.filter((file) => !texts.test(readFileSync(join("src", file), "utf8")))).toEqual([]);
});

/** Ways through the imports that end where they began, between files named by `place`. */
function circles(place: (file: string) => string): readonly string[] {
  const edges = new Map<string, Set<string>>();
  const isWithin = (inner: string, outer: string): boolean => outer === "." || inner.startsWith(`${outer}${sep}`);
  for (const { file, imported } of imports)
    if (place(file) !== place(imported) && !isWithin(place(imported), place(file)))
      edges.set(place(file), (edges.get(place(file)) ?? new Set()).add(place(imported)));
  const finished = new Set<string>();
  const found: string[] = [];
  const walk = (node: string, path: readonly string[]): void => {
    if (path.includes(node)) found.push([...path.slice(path.indexOf(node)), node].join(" -> "));
    else if (!finished.has(node)) {
      for (const next of edges.get(node) ?? []) walk(next, [...path, node]);
      finished.add(node);
    }
  };
  for (const node of edges.keys()) walk(node, []);
  return found;
}
