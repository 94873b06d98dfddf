import { around, circle, line, path } from "../svg.js";
import type { Subject } from "./subject.js";

export const bicycle: Subject = {
  name: "bicycle",
  lean: 12,
  draw(dice, paint) {
    const radius = dice.between(17, 20.5);
    const hubs = dice.between(27, 29);
    const y = 20;
    const tyre = dice.between(2.4, 4);
    const tube = {
      fill: "none",
      stroke: paint.main,
      "stroke-width": dice.between(2.8, 4.2),
      "stroke-linejoin": "round",
    };
    const metal = { fill: "none", stroke: paint.line, "stroke-width": 2.4, "stroke-linecap": "round" };
    const spokes = dice.whole(6, 10);
    const turn = dice.between(0, 1);
    const wheel = (x: number): string =>
      around(spokes, radius, turn)
        .map(([dx, dy]) => line(x, y, x + dx, y + dy, { stroke: paint.line, "stroke-width": 0.7 }))
        .join("") +
      circle(x, y, radius, { fill: "none", stroke: paint.line, "stroke-width": tyre }) +
      circle(x, y, 2.4, { fill: paint.third });
    const saddle = dice.between(-24, -16);
    const bars = dice.between(-30, -22);
    const crankAngle = dice.between(0, 0.5);
    const [[px, py] = [0, 0]] = around(1, 8, crankAngle);
    const crossbar = dice.chance(0.65) ? `M-9 -12 L18 -14` : `M-6 0 L19 -10`;
    return [
      wheel(-hubs),
      wheel(hubs),
      path(`M${-hubs} ${y} L-9 -12 L0 ${y + 1} Z M0 ${y + 1} L19 -10 ${crossbar}`, tube),
      path(`M${hubs} ${y} L16 ${bars}`, tube),
      line(-9, -12, -11.5, saddle, metal),
      path(`M-20 ${saddle} q8 -5 17 0 q-8 3 -17 0 Z`, { fill: paint.dark, stroke: paint.line, "stroke-width": 2 }),
      path(
        dice.chance(0.5) ? `M16 ${bars} L24 ${bars - 1} q5 5 0 9` : `M16 ${bars} q-2 -6 -9 -5 M16 ${bars} q4 -4 9 -3`,
        metal,
      ),
      circle(0, y + 1, 5, { fill: paint.third }),
      line(-px, y + 1 - py, px, y + 1 + py, metal),
      line(px - 4, y + 1 + py, px + 4, y + 1 + py, metal),
      line(-px - 4, y + 1 - py, -px + 4, y + 1 - py, metal),
    ].join("");
  },
};
