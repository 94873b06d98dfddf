import { line, path, polygon } from "../svg.js";
import type { Subject } from "./subject.js";

export const sailboat: Subject = {
  name: "sailboat",
  lean: 12,
  draw(dice, paint) {
    const deck = dice.between(16, 24);
    const bow = dice.between(38, 47);
    const stern = dice.between(32, 44);
    const keel = dice.between(38, 46);
    const mast = dice.between(-6, 6);
    const top = dice.between(-49, -40);
    const boom = deck - dice.between(5, 9);
    const belly = dice.between(6, 16);
    const sail = (height: number, foot: number, fill: string): string =>
      path(
        `M${mast} ${height} Q${mast + foot * 0.75} ${height * 0.3 + belly} ${mast + foot} ${boom} L${mast} ${boom} Z`,
        {
          fill,
        },
      );
    const jib = dice.chance(0.8) ? sail(top + dice.between(4, 16), -dice.between(24, 36), paint.second) : "";
    const pennant = dice.chance(0.5)
      ? polygon(
          [
            [mast, top - 3],
            [mast + 12, top + 1],
            [mast, top + 5],
          ],
          { fill: paint.third },
        )
      : "";
    const stripe = dice.chance(0.5)
      ? path(`M${-stern + 3} ${deck + 6} L${bow - 4} ${deck + 6}`, { stroke: paint.light, "stroke-width": 2.5 })
      : "";
    const waves = dice.chance(0.6)
      ? path(`M-50 ${keel} q6 -5 12.5 0 t12.5 0 t12.5 0 t12.5 0 t12.5 0 t12.5 0 t12.5 0 t12.5 0`, {
          fill: "none",
          stroke: paint.line,
          "stroke-width": dice.between(2, 3.5),
        })
      : "";
    return [
      line(mast, top - 3, mast, deck, { stroke: paint.line, "stroke-width": dice.between(1.6, 3) }),
      sail(top, dice.between(28, 40), paint.main),
      jib,
      pennant,
      path(
        `M${-stern} ${deck} L${bow} ${deck} Q${bow - 8} ${keel} ${bow - 24} ${keel} L${-stern + 12} ${keel} Q${-stern + 2} ${keel} ${-stern} ${deck} Z`,
        { fill: dice.chance(0.5) ? paint.third : paint.second },
      ),
      stripe,
      waves,
    ].join("");
  },
};
