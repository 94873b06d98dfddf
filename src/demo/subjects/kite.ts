import { line, type Point, path, polygon } from "../svg.js";
import type { Subject } from "./subject.js";

export const kite: Subject = {
  name: "kite",
  lean: 24,
  draw(dice, paint) {
    const half = dice.between(22, 29);
    const top = -49;
    const cross = dice.between(-30, -22);
    const foot = dice.between(10, 20);
    const sway = dice.sign() * dice.between(7, 13);
    const quarters = dice.chance(0.6);
    const quarter = (x: number, y: number, fill: string): string =>
      polygon(
        [
          [0, cross],
          [x, cross],
          [0, y],
        ],
        { fill },
      );
    const outline: readonly Point[] = [
      [0, top],
      [half, cross],
      [0, foot],
      [-half, cross],
    ];
    const sail = quarters
      ? [
          quarter(-half, top, paint.main),
          quarter(half, top, paint.second),
          quarter(-half, foot, paint.second),
          quarter(half, foot, dice.chance(0.5) ? paint.main : paint.third),
        ]
      : [polygon(outline, { fill: paint.main })];
    const spar = { stroke: paint.dark, "stroke-width": dice.between(1, 2) };
    const bow = (y: number, x: number): string =>
      polygon(
        [
          [x - 7, y - 4],
          [x + 7, y + 4],
          [x + 7, y - 4],
          [x - 7, y + 4],
        ],
        { fill: paint.third },
      );
    const length = 48 - foot;
    const bows = dice.whole(2, 4);
    return [
      path(`M0 ${foot} q${sway} ${length * 0.25} 0 ${length * 0.5} t0 ${length * 0.5}`, {
        fill: "none",
        stroke: paint.line,
        "stroke-width": 1.8,
      }),
      ...Array.from({ length: bows }, (_, i) => {
        const along = (i + 0.7) / bows;
        return bow(foot + along * length, 0.5 * sway * Math.sin(2 * Math.PI * along));
      }),
      ...sail,
      line(0, top, 0, foot, spar),
      line(-half, cross, half, cross, spar),
    ].join("");
  },
};
