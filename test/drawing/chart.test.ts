import { describe, expect, test } from "vitest";
import { type Chart, chartFile } from "#src/drawing/chart.js";
import { extentOf, thin, ticks } from "#src/drawing/points.js";

const chart: Chart = {
  title: "loss (nats)",
  x: { label: "epoch", low: 0, high: 10, whole: true, format: String },
  y: { low: 0, format: String },
  series: [
    {
      name: "training",
      points: [
        { x: 0, y: 4 },
        { x: 1, y: 3 },
        { x: 2, y: Number.NaN },
        { x: 3, y: 2 },
        { x: 10, y: Number.POSITIVE_INFINITY },
      ],
    },
    { name: "<b>&validation\u0007", points: [{ x: 10, y: 1 }] },
  ],
  marks: [{ x: 5, label: "1e-3" }],
};

/** Attributes of each element of that kind. */
function elements(svg: string, kind: string): readonly Readonly<Record<string, string>>[] {
  return [...svg.matchAll(new RegExp(`<${kind}( [^>]*)`, "g"))].map(([, attributes = ""]) =>
    Object.fromEntries([...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value])),
  );
}

describe("a chart in a file", () => {
  const svg = chartFile([chart]);

  test("has a line for each round number of the vertical axis, and each number beside its line", () => {
    const lines = elements(svg, "line").filter((line) => line.class === "grid");
    const labels = [...svg.matchAll(/y="([\d.]+)" dy="4" text-anchor="end">([^<]*)</g)];
    expect(labels.map(([, , label]) => label)).toEqual(["0", "1", "2", "3", "4"]);
    expect(labels.map(([, y]) => y)).toEqual(lines.map(({ y1 }) => y1));
  });

  test("has its numbers between the ends of the horizontal axis", () => {
    const grid = elements(svg, "line").find((line) => line.class === "grid");
    const labels = [...svg.matchAll(/x="([\d.]+)" y="266" text-anchor="middle">([^<]*)</g)];
    expect(labels.map(([, , label]) => label)).toEqual(["0", "2", "4", "6", "8", "10"]);
    expect(labels[0]?.[1]).toBe(grid?.x1);
    expect(labels.at(-1)?.[1]).toBe(grid?.x2);
  });

  test("has a line and dots for each series, which what isn't a finite number breaks", () => {
    const [training, validation] = elements(svg, "path");
    expect(training?.d).toMatch(/^M[\d.]+ [\d.]+L[\d.]+ [\d.]+M[\d.]+ [\d.]+$/);
    expect(validation?.d).toMatch(/^M[\d.]+ [\d.]+$/);
    expect(elements(svg, "circle")).toHaveLength(4);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("has its marks, title, label and names, with nothing in them that is markup", () => {
    const [mark] = elements(svg, "line").filter((line) => line.class === "mark");
    expect(mark).toMatchObject({ x1: "235", x2: "235" });
    for (const text of ["1e-3", "loss (nats)", "epoch", "training", "&lt;b&gt;&amp;validation"])
      expect(svg).toContain(`>${text}<`);
  });
});

test("charts of a file stand side by side, and many names take rows below instead of running out of it", () => {
  const many = { ...chart, series: [...Array(12)].map((_, i) => ({ name: `runs/some-long-name-${i}`, points: [] })) };
  const svg = chartFile([chart, many]);
  const [root] = elements(svg, "svg");
  const [, , width = 0, height = 0] = root?.viewBox?.split(" ").map(Number) ?? [];
  expect(
    elements(svg, "g")
      .filter(({ transform }) => transform)
      .map(({ transform }) => transform),
  ).toEqual(["translate(0 0)", "translate(440 0)"]);
  const names = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)">(runs[^<]*)</g)];
  expect(names).toHaveLength(12);
  for (const [, x, y, name = ""] of names) {
    expect(440 + Number(x) + 6 * name.length).toBeLessThan(width);
    expect(Number(y)).toBeLessThan(height);
  }
});

test("a file's charts are light or dark by the reader's scheme, and without a text that a program might run", () => {
  const svg = chartFile([chart]);
  expect(svg).toContain("@media (prefers-color-scheme: dark)");
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(svg).not.toMatch(/[^\P{Cc}\n]|<script/u);
});

test("axes have round numbers", () => {
  expect(ticks({ low: 0, high: 1 })).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks({ low: 0, high: 2.42 })).toEqual([0, 0.5, 1, 1.5, 2]);
  expect(ticks({ low: 0, high: 2 }, true)).toEqual([0, 1, 2]);
  expect(ticks({ low: 0, high: 90 }, true)).toEqual([0, 20, 40, 60, 80]);
});

test("an axis has room for one value, and for none", () => {
  expect(extentOf([])).toEqual({ low: 0, high: 1 });
  expect(extentOf([3, 3])).toEqual({ low: 2.5, high: 3.5 });
  expect(extentOf([3, -1])).toEqual({ low: -1, high: 3 });
});

test("too many points become the means of neighbours, with one that isn't a number among them", () => {
  const points = Array.from({ length: 10 }, (_, i) => ({ x: i, y: i === 9 ? Number.NaN : 2 * i }));
  expect(thin(points, 10)).toBe(points);
  expect(thin(points, 5)).toEqual([
    { x: 0.5, y: 1 },
    { x: 2.5, y: 5 },
    { x: 4.5, y: 9 },
    { x: 6.5, y: 13 },
    { x: 8.5, y: Number.NaN },
  ]);
});
