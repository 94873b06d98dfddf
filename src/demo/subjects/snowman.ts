import { circle, line, path, polygon, rectangle } from "../svg.js";
import type { Subject } from "./subject.js";

export const snowman: Subject = {
  name: "snowman",
  lean: 8,
  draw(dice, paint) {
    const three = dice.chance(0.6);
    const base = dice.between(20, 24);
    const waist = three ? dice.between(13, 16) : 0;
    const head = dice.between(10, 12.5);
    const baseY = 49 - base;
    const waistY = three ? baseY - base * 0.75 - waist * 0.75 : baseY;
    const headY = three ? waistY - waist * 0.75 - head * 0.75 : baseY - base * 0.85 - head * 0.7;
    const brim = headY - head * 0.75;
    const fill = dice.chance(0.5) ? paint.light : paint.main;
    const trim = fill === paint.light ? paint.main : paint.second;
    const side = dice.sign();
    const arm = (direction: number): string => {
      const y = three ? waistY : baseY - base * 0.6;
      const reach = (three ? waist : base * 0.8) + dice.between(10, 16);
      const hand = y - dice.between(2, 14);
      const x = direction * reach;
      return path(
        `M${direction * (three ? waist : base) * 0.75} ${y} L${x} ${hand} M${x * 0.86} ${hand + 3} l${direction * 1} -6`,
        { fill: "none", stroke: paint.line, "stroke-width": 2.2 },
      );
    };
    const hat = dice.chance(0.7)
      ? rectangle(-head * 0.75, brim - dice.between(10, 14), head * 1.5, 14, { fill: trim }) +
        rectangle(-head * 1.25, brim - 1, head * 2.5, 4, { fill: trim, rx: 2 })
      : path(`M${-head * 0.95} ${brim + 4} Q0 ${brim - 22} ${head * 0.95} ${brim + 4} Z`, { fill: trim }) +
        circle(0, brim - 9, 3.4, { fill: paint.third });
    const scarf = dice.chance(0.7)
      ? rectangle(-head * 0.95, headY + head * 0.7, head * 1.9, 5, { fill: paint.third, rx: 2.5 }) +
        rectangle(side * head * 0.35, headY + head * 0.8, 5, dice.between(11, 16), { fill: paint.third, rx: 1.5 })
      : "";
    const buttons = [0, 1, 2].map((i) =>
      circle(0, (three ? waistY - 4 : baseY - base * 0.4) + i * 8, 1.8, { fill: paint.dark, stroke: "none" }),
    );
    const eye = (x: number): string => circle(x, headY - 2.5, 1.6, { fill: paint.dark, stroke: "none" });
    return [
      circle(0, baseY, base, { fill }),
      three ? circle(0, waistY, waist, { fill }) : "",
      arm(1),
      arm(-1),
      circle(0, headY, head, { fill }),
      ...buttons,
      scarf,
      eye(-4 + side),
      eye(4 + side),
      polygon(
        [
          [side, headY],
          [side * dice.between(9, 14), headY + 2.5],
          [side, headY + 3.5],
        ],
        { fill: paint.third },
      ),
      line(side - 2, headY + 6, side + 3, headY + 6, { stroke: paint.dark, "stroke-width": 1.2 }),
      hat,
    ].join("");
  },
};
