import { expect, test } from "vitest";
import { drawInTerminal } from "#src/drawing/terminal-plot.js";

const size = { width: 9, height: 4, colour: false };
const axes = { title: "loss", xLabel: "t", formatX: (x: number) => String(x), formatY: (y: number) => y.toFixed(1) };

test("curves by their marks, between their extremes", () => {
  const falling = { name: "a", points: [3, 2, 1, 0].map((y, i) => ({ x: 4 * i, y })) };
  const flat = { name: "b", points: [0, 12].map((x) => ({ x, y: 3 })) };
  expect(drawInTerminal({ ...axes, series: [falling, flat] }, size)).toBe(
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

test("many points a column: their mean; what isn't a number is left out", () => {
  const points = [...Array(100)].map((_, i) => ({ x: i, y: i % 2 === 0 ? 0 : 10 }));
  const text = drawInTerminal({ ...axes, series: [{ name: "a", points: [...points, { x: 5, y: Number.NaN }] }] }, size);
  expect(text.split("\n").slice(1, 5).join("").match(/•/g)).toHaveLength(9);
});

test("nothing yet, or one point", () => {
  expect(drawInTerminal({ ...axes, series: [] }, size)).toBe("loss: nothing to draw yet");
  expect(drawInTerminal({ ...axes, series: [{ name: "a", points: [{ x: 1, y: 1 }] }] }, size)).toContain("•");
});
