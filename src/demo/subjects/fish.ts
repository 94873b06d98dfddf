import { circle, path } from "../svg.js";
import type { Subject } from "./subject.js";

/** Where they are, and how far they reach up and down the body: inside its outline. */
const stripes = [
  [-16, 0.66],
  [-4, 0.58],
  [8, 0.4],
] as const;

export const fish: Subject = {
  name: "fish",
  lean: 18,
  draw(dice, paint) {
    const half = dice.between(17, 27);
    const tail = dice.between(14, 24);
    const notch = dice.between(4, 14);
    const bodyEnd = 26;
    const pattern = dice.chance(0.5)
      ? stripes.map(([x, height]) =>
          path(`M${x} ${-half * height} Q${x + dice.between(4, 9)} 0 ${x} ${half * height}`, {
            fill: "none",
            stroke: paint.third,
            "stroke-width": dice.between(3, 5.5),
          }),
        )
      : Array.from({ length: 7 }, (_, i) =>
          path(`M${-10 + 9 * (i % 4)} ${i < 4 ? -6 : 4} q5 4 0 9`, {
            fill: "none",
            stroke: paint.second,
            "stroke-width": 1.6,
          }),
        );
    const bubbles = Array.from({ length: dice.whole(0, 3) }, (_, i) =>
      circle(-46 + dice.between(-2, 2), -16 - 11 * i, dice.between(2, 4), {
        fill: "none",
        stroke: paint.line,
        "stroke-width": 1.4,
      }),
    );
    return [
      path(
        `M${bodyEnd - 10} 0 Q32 ${-tail * 0.4} 47 ${-tail} Q${47 - notch} 0 47 ${tail} Q32 ${tail * 0.4} ${bodyEnd - 10} 0 Z`,
        {
          fill: paint.second,
        },
      ),
      path(`M-14 ${-half * 0.75} Q0 ${-half - dice.between(12, 20)} 16 ${-half * 0.55} Z`, { fill: paint.second }),
      path(`M-6 ${half * 0.75} Q4 ${half + dice.between(8, 14)} 12 ${half * 0.6} Z`, { fill: paint.second }),
      path(`M-44 2 Q-22 ${-half * 1.5} ${bodyEnd} 0 Q-22 ${half * 1.5} -44 2 Z`, { fill: paint.main }),
      ...pattern,
      path(`M-8 4 q10 1 13 ${dice.between(8, 12)} q-12 0 -13 -10 Z`, { fill: paint.second }),
      path(`M-26 ${-half * 0.5} Q-19 0 -26 ${half * 0.5}`, { fill: "none", stroke: paint.dark, "stroke-width": 1.6 }),
      circle(-32, -3, dice.between(3.2, 4.8), { fill: paint.light }),
      circle(-32.6, -3, 1.9, { fill: paint.dark, stroke: "none" }),
      ...bubbles,
    ].join("");
  },
};
