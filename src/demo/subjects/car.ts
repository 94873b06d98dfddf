import { circle, line, path, rectangle } from "../svg.js";
import type { Subject } from "./subject.js";

export const car: Subject = {
  name: "car",
  lean: 10,
  draw(dice, paint) {
    const wheel = dice.between(9, 12);
    const axle = 22;
    const front = dice.between(24, 29);
    const rear = -dice.between(24, 29);
    const belt = dice.between(-4, 2);
    const roof = belt - dice.between(18, 24);
    const bonnet = dice.between(16, 26);
    const windscreen = bonnet - dice.between(9, 16);
    const boot = dice.pick([-47, -38, -30]);
    const back = boot + dice.between(3, 12);
    const sill = axle + 2;
    const hub = (x: number): string =>
      circle(x, axle, wheel, { fill: paint.dark }) +
      circle(x, axle, wheel * 0.5, { fill: paint.light }) +
      circle(x, axle, wheel * 0.18, { fill: paint.dark, stroke: "none" });
    const glass = { fill: paint.light, stroke: paint.dark, "stroke-width": 1.2 };
    const pillar = (back + windscreen) / 2 + dice.between(-3, 3);
    const stripe = dice.chance(0.4) ? rectangle(-46, belt + 9, 93, 4, { fill: paint.third, stroke: "none" }) : "";
    return [
      path(
        `M-49 ${sill} Q-50 ${belt + 2} -46 ${belt} L${boot} ${belt} L${back} ${roof + 3} Q${back + 1} ${roof} ${back + 5} ${roof} L${windscreen - 4} ${roof} Q${windscreen} ${roof} ${windscreen + 2} ${roof + 3} L${bonnet} ${belt} L44 ${belt + 4} Q49 ${belt + 6} 49 ${sill} Z`,
        { fill: paint.main },
      ),
      stripe,
      path(
        `M${boot + 4} ${belt} L${back + 4} ${roof + 4} L${pillar - 1.5} ${roof + 4} L${pillar - 1.5} ${belt} Z`,
        glass,
      ),
      path(
        `M${pillar + 1.5} ${belt} L${pillar + 1.5} ${roof + 4} L${windscreen - 2} ${roof + 4} L${bonnet - 4} ${belt} Z`,
        glass,
      ),
      line(pillar, belt, pillar, sill - 3, { stroke: paint.dark, "stroke-width": 1 }),
      line(pillar + 4, belt + 6, pillar + 9, belt + 6, { stroke: paint.dark, "stroke-width": 1.8 }),
      circle(45, belt + 10, 3, { fill: paint.light }),
      rectangle(-49, belt + 6, 4, 6, { fill: paint.third }),
      hub(front),
      hub(rear),
    ].join("");
  },
};
