import type { Dice } from "../dice.js";
import type { Paint } from "../paint.js";
import { circle, ellipse, path, rectangle } from "../svg.js";
import type { Subject } from "./subject.js";

export const mug: Subject = {
  name: "mug",
  lean: 12,
  draw(dice, paint) {
    const half = dice.between(20, 27);
    const foot = half * dice.between(0.75, 1);
    const top = dice.between(-22, -12);
    const bottom = dice.between(38, 46);
    const rim = dice.between(4, 7.5);
    const handle = dice.between(12, 18);
    const handleHeight = (bottom - top) * dice.between(0.26, 0.34);
    const middle = (top + bottom) / 2;
    const grip = { fill: "none", stroke: paint.main, "stroke-width": dice.between(5, 8) };
    const steam = Array.from({ length: dice.chance(0.7) ? dice.whole(2, 3) : 0 }, (_, i) =>
      path(`M${-12 + 12 * i} ${top - 9} q-7 -7 0 -13 t0 -${dice.between(8, 13)}`, {
        fill: "none",
        stroke: paint.line,
        "stroke-width": dice.between(1.8, 3),
      }),
    );
    return [
      ellipse(half + 1, middle, handle, handleHeight, grip),
      path(
        `M${-half} ${top} L${-foot} ${bottom - 4} Q${-foot} ${bottom} ${-foot + 5} ${bottom} L${foot - 5} ${bottom} Q${foot} ${bottom} ${foot} ${bottom - 4} L${half} ${top} Z`,
        {
          fill: paint.main,
        },
      ),
      decoration(dice, paint, Math.min(foot, half), middle),
      ellipse(0, top, half, rim, { fill: paint.light }),
      ellipse(0, top + 1, half - 3, rim - 2, { fill: dice.chance(0.5) ? paint.dark : paint.third, stroke: "none" }),
      ...steam,
    ].join("");
  },
};

function decoration(dice: Dice, paint: Paint, half: number, y: number): string {
  switch (dice.whole(0, 3)) {
    case 0:
      return rectangle(-half + 1, y - 2, 2 * half - 2, dice.between(5, 11), { fill: paint.second, stroke: "none" });
    case 1:
      return [-0.5, 0, 0.5].map((x) => circle(x * half, y + 4, 3.4, { fill: paint.third, stroke: "none" })).join("");
    case 2:
      return path(`M0 ${y + 14} C-17 ${y + 2} -9 ${y - 9} 0 ${y - 1} C9 ${y - 9} 17 ${y + 2} 0 ${y + 14} Z`, {
        fill: paint.second,
        stroke: "none",
      });
    default:
      return "";
  }
}
