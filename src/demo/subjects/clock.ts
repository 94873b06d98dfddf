import { around, circle, line, rectangle } from "../svg.js";
import type { Subject } from "./subject.js";

export const clock: Subject = {
  name: "clock",
  lean: 12,
  draw(dice, paint) {
    const alarm = dice.chance(0.4);
    const radius = alarm ? dice.between(32, 36) : dice.between(38, 46);
    const ring = dice.between(4, 8);
    const square = !alarm && dice.chance(0.3);
    const face = dice.chance(0.6) ? paint.light : paint.second;
    const ink = face === paint.light ? paint.dark : paint.light;
    const frame = square
      ? rectangle(-radius, -radius, 2 * radius, 2 * radius, { fill: paint.main, rx: dice.between(2, 14) })
      : circle(0, 0, radius, { fill: paint.main });
    const marks = dice.pick([4, 12, 12]);
    const inner = radius - ring;
    const outerEnds = around(marks, inner * 0.92);
    const ticks = around(marks, inner * dice.between(0.74, 0.82)).map(([x, y], i) => {
      const [endX, endY] = outerEnds[i] ?? [x, y];
      return line(x, y, endX, endY, { stroke: ink, "stroke-width": i % (marks / 4) === 0 ? 3 : 1.6 });
    });
    const hand = (turn: number, length: number, width: number, colour: string): string => {
      const [[x, y] = [0, 0]] = around(1, length, turn);
      return line(0, 0, x, y, { stroke: colour, "stroke-width": width, "stroke-linecap": "round" });
    };
    const minutes = dice.between(0, 1);
    const hours = (dice.whole(0, 11) + minutes) / 12;
    const bells = alarm
      ? [-1, 1].map(
          (side) =>
            circle(side * radius * 0.62, -radius * 0.92, 9, { fill: paint.third }) +
            line(side * radius * 0.55, radius * 0.8, side * radius * 0.8, radius + 9, {
              stroke: paint.line,
              "stroke-width": 4,
            }),
        )
      : [];
    return [
      ...bells,
      frame,
      circle(0, 0, inner, { fill: face }),
      ...ticks,
      hand(hours, inner * 0.48, 4, ink),
      hand(minutes, inner * 0.72, 2.8, ink),
      dice.chance(0.4) ? hand(dice.between(0, 1), inner * 0.8, 1.2, paint.third) : "",
      circle(0, 0, 2.8, { fill: ink, stroke: "none" }),
    ].join("");
  },
};
