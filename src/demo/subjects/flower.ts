import { circle, ellipse, path } from "../svg.js";
import type { Subject } from "./subject.js";

export const flower: Subject = {
  name: "flower",
  lean: 16,
  draw(dice, paint) {
    const petals = dice.whole(5, 11);
    const middle = dice.between(6, 9);
    const long = dice.between(12, 15);
    const wide = Math.min(long * 0.75, (Math.PI * (middle + long * 0.8)) / petals);
    const head = -22;
    const bend = dice.between(-10, 10);
    const leafFill = dice.chance(0.5) ? paint.third : paint.second;
    const turn = dice.between(0, 360);
    const leaf = (side: number, y: number): string =>
      path(
        `M${bend * 0.5} ${y} q${side * 10} ${-dice.between(12, 18)} ${side * 28} ${-dice.between(6, 12)} q${side * -6} 14 ${side * -28} ${16} Z`,
        {
          fill: leafFill,
        },
      );
    const ring = (fill: string, scale: number, shift: number): string[] =>
      Array.from({ length: petals }, (_, i) =>
        ellipse(0, -(middle + long * 0.7) * scale, wide * scale, long * scale, {
          fill,
          transform: `translate(0 ${head}) rotate(${turn + shift + (360 * i) / petals})`,
        }),
      );
    return [
      path(`M0 ${head} Q${bend * 1.6} 12 0 50`, {
        fill: "none",
        stroke: leafFill,
        "stroke-width": dice.between(3, 4.5),
      }),
      dice.chance(0.85) ? leaf(1, dice.between(24, 34)) : "",
      dice.chance(0.7) ? leaf(-1, dice.between(28, 38)) : "",
      ...ring(paint.main, 1, 0),
      ...(dice.chance(0.35) ? ring(paint.second, 0.66, 180 / petals) : []),
      circle(0, head, middle, { fill: dice.chance(0.5) ? paint.dark : paint.light }),
      circle(0, head, middle * 0.5, { fill: paint.third, stroke: "none" }),
    ].join("");
  },
};
