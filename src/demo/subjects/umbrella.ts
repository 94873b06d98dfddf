import { line, path } from "../svg.js";
import type { Subject } from "./subject.js";

export const umbrella: Subject = {
  name: "umbrella",
  lean: 20,
  draw(dice, paint) {
    const panels = dice.whole(4, 6);
    const top = dice.between(-44, -36);
    const rim = dice.between(-6, 2);
    const half = dice.between(40, 47);
    const scallop = dice.between(3, 7);
    const hookSide = dice.sign();
    const edge = (i: number): number => -half + (2 * half * i) / panels;
    // The ribs all meet at the tip; the further out a rib ends, the rounder it runs.
    const rib = (i: number): string => `Q${edge(i) * 0.88} ${top + 4 + Math.abs(edge(i)) * 0.12} ${edge(i)} ${rim}`;
    const striped = dice.chance(0.6);
    const panel = (i: number): string => {
      const left = edge(i);
      const right = edge(i + 1);
      const back = `Q${right * 0.88} ${top + 4 + Math.abs(right) * 0.12} 0 ${top}`;
      return path(`M0 ${top} ${rib(i)} Q${(left + right) / 2} ${rim - 2 * scallop} ${right} ${rim} ${back} Z`, {
        fill: striped && i % 2 === 1 ? paint.second : paint.main,
      });
    };
    const shaft = {
      fill: "none",
      stroke: paint.line,
      "stroke-width": dice.between(2.4, 3.8),
      "stroke-linecap": "round",
    };
    const hook = dice.between(6, 9);
    return [
      line(0, top - dice.between(4, 7), 0, top + 2, shaft),
      path(`M0 ${rim - scallop - 4} V40 a${hook} ${hook} 0 0 ${hookSide > 0 ? 0 : 1} ${hookSide * 2 * hook} 0`, shaft),
      ...Array.from({ length: panels }, (_, i) => panel(i)),
    ].join("");
  },
};
