import { Purpose } from "../random.js";
import { paintBackdrop, paintForeground } from "./backdrop.js";
import { Dice } from "./dice.js";
import { mixPaint } from "./paint.js";
import type { Subject } from "./subjects/subject.js";
import { element, ellipse, group } from "./svg.js";

export interface Scene {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
  /** Of the JPEG it becomes, 0 to 100. */
  readonly quality: number;
  /** Deviation of the blur, in pixels; 0 is sharp. */
  readonly blur: number;
}

/** Width by height; the subject stays in the central square, which is what a network gets to see. */
const aspects: readonly [number, ...number[]] = [1, 4 / 3, 3 / 2, 16 / 9, 3 / 4, 2 / 3];

/** Picture number `index` of a class: a pure function of its arguments. */
export function composeScene(seed: number, subject: Subject, index: number): Scene {
  const keys = [seed, Purpose.demo, ...Buffer.from(subject.name), index];
  const frame = new Dice(...keys, 0);
  const short = frame.whole(160, 340);
  const aspect = frame.pick(aspects);
  const width = Math.round(short * Math.max(1, aspect));
  const height = Math.round(short * Math.max(1, 1 / aspect));

  const backdrop = paintBackdrop(new Dice(...keys, 1), width, height);
  const paint = mixPaint(new Dice(...keys, 2), backdrop.lightness);
  const drawing = subject.draw(new Dice(...keys, 3), paint);

  const size = frame.between(0.62, 1);
  const room = (1 - size) / 2 + 0.05;
  const x = width / 2 + frame.between(-room, room) * short;
  const y = height / 2 + frame.between(-room, room) * short;
  const scale = (size * short) / 100;
  const stretch = frame.between(0.88, 1.14);
  const place = [
    `translate(${x} ${y})`,
    `rotate(${frame.between(-subject.lean, subject.lean)})`,
    `skewX(${frame.between(-4, 4)})`,
    `scale(${frame.sign() * scale * stretch} ${scale / stretch})`,
  ];
  const shadow = frame.chance(0.4) ? ellipse(0, 48, frame.between(26, 44), 5, { fill: "#000", opacity: 0.18 }) : "";
  return {
    svg: element(
      "svg",
      { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` },
      element("defs", {}, backdrop.definitions + paint.definitions) +
        backdrop.svg +
        group({ transform: place.join(" ") }, shadow, group(paint.outline, drawing)) +
        paintForeground(new Dice(...keys, 4), width, height),
    ),
    width,
    height,
    quality: frame.whole(70, 95),
    blur: frame.chance(0.25) ? frame.between(0.4, 1.2) : 0,
  };
}
