import { circle, line, path, polygon, rectangle } from "../svg.js";
import type { Subject } from "./subject.js";

export const house: Subject = {
  name: "house",
  lean: 8,
  draw(dice, paint) {
    const half = dice.between(28, 40);
    const eaves = dice.between(-14, 4);
    const ridge = dice.between(-48, -34);
    const floor = 44;
    const overhang = dice.between(3, 8);
    const hip = dice.chance(0.35) ? dice.between(8, 18) : 0;
    const side = dice.sign();
    const chimneyAt = side * half * dice.between(0.4, 0.65);
    const chimney = dice.chance(0.75)
      ? rectangle(chimneyAt - 4, ridge - dice.between(-4, 4), 8, eaves - ridge, { fill: paint.third })
      : "";
    const doorWidth = dice.between(11, 16);
    const doorHeight = dice.between(20, 27);
    const doorAt = -side * dice.between(0, half - doorWidth);
    const doorLeft = doorAt - doorWidth / 2;
    const window = (x: number, y: number, size: number): string =>
      rectangle(x - size / 2, y - size / 2, size, size, {
        fill: paint.light,
        stroke: paint.dark,
        "stroke-width": 1.4,
      }) +
      line(x, y - size / 2, x, y + size / 2, { stroke: paint.dark, "stroke-width": 1.2 }) +
      line(x - size / 2, y, x + size / 2, y, { stroke: paint.dark, "stroke-width": 1.2 });
    const size = dice.between(9, 13);
    const upper = eaves + size * 0.9 + 2;
    const windows = [side * half * 0.55, dice.chance(0.7) ? -side * half * 0.55 : 0].map((x) => window(x, upper, size));
    const beside = doorAt + side * (doorWidth / 2 + size);
    const lower = Math.abs(beside) + size / 2 < half ? window(beside, floor - doorHeight * 0.6, size) : "";
    const attic = dice.chance(0.4)
      ? circle(0, (ridge + eaves) / 2 + 4, 4.5, { fill: paint.light, stroke: paint.dark, "stroke-width": 1.2 })
      : "";
    return [
      chimney,
      rectangle(-half, eaves, 2 * half, floor - eaves, { fill: paint.main }),
      polygon(
        [
          [-half - overhang, eaves],
          [-hip, ridge],
          [hip, ridge],
          [half + overhang, eaves],
        ],
        { fill: paint.second },
      ),
      attic,
      ...windows,
      lower,
      path(
        dice.chance(0.5)
          ? `M${doorLeft} ${floor} V${floor - doorHeight} h${doorWidth} V${floor} Z`
          : `M${doorLeft} ${floor} V${floor - doorHeight + 6} a${doorWidth / 2} 7 0 0 1 ${doorWidth} 0 V${floor} Z`,
        { fill: paint.dark },
      ),
      circle(doorLeft + doorWidth * 0.8, floor - doorHeight * 0.45, 1.2, { fill: paint.light, stroke: "none" }),
    ].join("");
  },
};
