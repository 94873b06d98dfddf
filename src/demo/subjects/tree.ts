import type { Dice } from "../dice.js";
import type { Paint } from "../paint.js";
import { around, circle, ellipse, path, polygon } from "../svg.js";
import type { Subject } from "./subject.js";

export const tree: Subject = {
  name: "tree",
  lean: 8,
  draw(dice, paint) {
    return dice.chance(0.4) ? conifer(dice, paint) : broadleaf(dice, paint);
  },
};

function trunk(top: number, width: number, dice: Dice, paint: Paint): string {
  const foot = width * dice.between(1.3, 1.9);
  return path(
    `M${-width / 2} ${top} Q${-width / 2} 38 ${-foot / 2 - 3} 48 L${foot / 2 + 3} 48 Q${width / 2} 38 ${width / 2} ${top} Z`,
    { fill: dice.chance(0.5) ? paint.dark : paint.third },
  );
}

function conifer(dice: Dice, paint: Paint): string {
  const tiers = dice.whole(3, 4);
  const bottom = dice.between(28, 34);
  const width = dice.between(26, 36);
  const step = (bottom + 48) / (tiers + 0.6);
  const shapes = Array.from({ length: tiers }, (_, i) => {
    const foot = bottom - i * step * 0.85;
    const half = width * (1 - i / (tiers + 0.6));
    const tip = i === tiers - 1 ? -49 : foot - step * 1.6;
    return polygon(
      [
        [-half, foot],
        [0, tip],
        [half, foot],
      ],
      { fill: i % 2 === 0 ? paint.main : paint.second },
    );
  });
  return trunk(bottom - 4, dice.between(7, 11), dice, paint) + shapes.join("");
}

function broadleaf(dice: Dice, paint: Paint): string {
  const centre = dice.between(-18, -10);
  const width = dice.between(22, 30);
  const height = dice.between(18, 26);
  const lobes = around(dice.whole(6, 9), 1, dice.between(0, 1)).map(([x, y]) =>
    circle(x * width * 0.8, centre + y * height * 0.8, dice.between(11, 15), { fill: paint.main }),
  );
  const fruits = Array.from({ length: dice.chance(0.5) ? dice.whole(4, 9) : 0 }, () =>
    circle(dice.between(-0.8, 0.8) * width, centre + dice.between(-0.8, 0.8) * height, dice.between(2.4, 4), {
      fill: paint.third,
    }),
  );
  const branch = dice.chance(0.5)
    ? path(`M0 30 L${dice.sign() * 14} 6`, { stroke: paint.dark, "stroke-width": 4, fill: "none" })
    : "";
  return [
    trunk(centre + 8, dice.between(7, 12), dice, paint),
    branch,
    ...lobes,
    ellipse(0, centre, width, height, { fill: paint.main, stroke: "none" }),
    ...fruits,
  ].join("");
}
