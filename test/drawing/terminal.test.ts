import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { Chart } from "#src/drawing/chart.js";
import { drawInTerminal } from "#src/drawing/terminal.js";

const small = { columns: 14, rows: 4, colour: false };
const wide = { columns: 80, rows: 16, colour: false };
const axes = {
  title: "loss",
  x: { label: "t", format: String },
  y: { format: (y: number) => y.toFixed(1) },
} satisfies Omit<Chart, "series">;

test("a terminal's curves have a sign each, and the axes end where the points end", () => {
  const falling = { name: "a", points: [3, 2, 1, 0].map((y, i) => ({ x: 4 * i, y })) };
  const flat = { name: "b", points: [0, 12].map((x) => ({ x, y: 3 })) };
  expect(drawInTerminal({ ...axes, series: [falling, flat] }, small)).toBe(
    [
      "loss",
      "3.0 ┤+       +",
      "2.0 ┤   •",
      "1.0 ┤     •",
      "0.0 ┤        •",
      "    └─────────",
      "     0   t  12",
      "     • a   + b",
    ].join("\n"),
  );
});

test("many points in a column of a terminal become their mean, and what isn't a number is left out", () => {
  const points = [...Array(100)].map((_, i) => ({ x: i, y: i % 2 === 0 ? 0 : 10 }));
  const series = [{ name: "a", points: [...points, { x: 5, y: Number.NaN }] }];
  const text = drawInTerminal({ ...axes, series }, { ...small, columns: 15 });
  expect(text.split("\n").slice(1, 5).join("").match(/•/g)).toHaveLength(9);
});

test("a terminal says of a chart without points that there is nothing, and draws a single one", () => {
  expect(drawInTerminal({ ...axes, series: [] }, small)).toBe("loss: nothing to draw yet");
  expect(drawInTerminal({ ...axes, series: [{ name: "a", points: [{ x: 1, y: 1 }] }] }, small)).toContain("•");
});

test("no line of a chart is longer than 80 columns, however long its labels and however many its names", () => {
  const series = Array.from({ length: 9 }, (_, run) => ({
    name: `runs/somewhere-else-${run}`,
    points: Array.from({ length: 300 }, (_, i) => ({ x: i / 7, y: (run + 1) / (i + 1) })),
  }));
  const y = { format: (value: number) => `${value.toFixed(6)} nats a picture` };
  const lines = drawInTerminal({ ...axes, y, series }, wide).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBe(80);
  for (const { name } of series) expect(lines.filter((line) => line.includes(name))).toHaveLength(1);
});

test("axis labels of a terminal are rounded to what the axis tells apart", () => {
  const format = (value: number) => String(value);
  const points = [
    { x: 0.0123456, y: 0.000123456 },
    { x: 12, y: 0.000987654 },
  ];
  const text = drawInTerminal(
    { ...axes, x: { label: "t", format }, y: { format }, series: [{ name: "a", points }] },
    wide,
  );
  expect(text).toMatch(/ 0 +t +12$/m);
  expect(text).toMatch(/^0\.0009877 ┤/m);
});

test("colours of a terminal and control characters in names change no widths", () => {
  const chart: Chart = { ...axes, series: [{ name: "a\u001b[2J", points: [{ x: 1, y: 1 }] }] };
  const plain = drawInTerminal(chart, small);
  const coloured = drawInTerminal(chart, { ...small, colour: true });
  expect(plain).toContain("• a\\u001b[2J");
  expect(coloured).toContain("\u001b[36m•\u001b[0m");
  expect(stripVTControlCharacters(coloured)).toBe(plain);
});
