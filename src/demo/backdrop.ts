import type { Dice } from "./dice.js";
import { type Colour, css, shade } from "./paint.js";
import { around, circle, ellipse, gradient, group, line, path, polygon, rectangle } from "./svg.js";

/** What a subject stands in front of: never a hint at which subject. */
export interface Backdrop {
  readonly svg: string;
  readonly definitions: string;
  /** Of its typical colour, in percent. */
  readonly lightness: number;
}

interface Canvas {
  readonly dice: Dice;
  readonly width: number;
  readonly height: number;
  /** The shorter side, which sizes go by. */
  readonly short: number;
  readonly base: Colour;
}

const patterns: readonly [(canvas: Canvas) => string, ...((canvas: Canvas) => string)[]] = [
  hills,
  hills,
  room,
  stripes,
  checks,
  dots,
  patchwork,
  () => "",
];

export function paintBackdrop(dice: Dice, width: number, height: number): Backdrop {
  const dark = dice.chance(0.4);
  const base: Colour = {
    hue: dice.between(0, 360),
    saturation: dice.between(8, 70),
    lightness: dark ? dice.between(12, 28) : dice.between(74, 92),
  };
  const far: Colour = { ...shade(base, dice.between(-8, 8)), hue: base.hue + dice.between(-60, 60) };
  const canvas: Canvas = { dice, width, height, short: Math.min(width, height), base };
  const pattern = dice.pick(patterns)(canvas);
  const clutter = Array.from({ length: dice.whole(0, 10) }, () => shape(canvas, dice.between(0.03, 0.11)));
  return {
    svg: rectangle(0, 0, width, height, { fill: "url(#backdrop)" }) + pattern + clutter.join(""),
    definitions: gradient("backdrop", dice.between(0, 360), [css(base), css(far)]),
    lightness: base.lightness,
  };
}

/** Small things in front, mostly near the edges, that may hide a little of the subject. */
export function paintForeground(dice: Dice, width: number, height: number): string {
  const base: Colour = { hue: dice.between(0, 360), saturation: 50, lightness: 50 };
  const canvas: Canvas = { dice, width, height, short: Math.min(width, height), base };
  return Array.from({ length: dice.whole(0, 2) }, () => shape(canvas, dice.between(0.02, 0.06))).join("");
}

/** A colour near the backdrop's in lightness, of any hue. */
function neighbour({ dice, base }: Canvas, most: number): string {
  return css({
    hue: base.hue + dice.between(-180, 180),
    saturation: dice.between(10, 80),
    lightness: shade(base, dice.between(-most, most)).lightness,
  });
}

/** One thing without a meaning: a disc, ring, bar, triangle, star, squiggle or leaf. `size` as part of the short side. */
function shape(canvas: Canvas, size: number): string {
  const { dice, width, height, short } = canvas;
  const r = size * short;
  const fill = neighbour(canvas, 26);
  const stroke = { fill: "none", stroke: fill, "stroke-width": Math.max(1, r * 0.22), "stroke-linecap": "round" };
  const drawings: readonly [() => string, ...(() => string)[]] = [
    () => circle(0, 0, r, { fill }),
    () => circle(0, 0, r, stroke),
    () => rectangle(-r, -r * 0.6, 2 * r, 1.2 * r, { fill, rx: dice.between(0, r * 0.5) }),
    () => line(-1.6 * r, 0, 1.6 * r, 0, stroke),
    () => polygon(around(3, r), { fill }),
    () => polygon(around(dice.whole(5, 7), r), { fill }),
    () => path(`M${-2 * r} 0 q${r} ${-r} ${2 * r} 0 t${2 * r} 0`, stroke),
    () => path(`M0 ${-r} Q${r} 0 0 ${r} Q${-r} 0 0 ${-r} Z`, { fill }),
    () => polygon(star(dice.whole(4, 6), r), { fill }),
    () => ellipse(0, 0, r * 1.5, r * 0.8, { fill }),
  ];
  const place = `translate(${dice.between(0, width)} ${dice.between(0, height)}) rotate(${dice.between(0, 360)})`;
  return group({ transform: place, opacity: dice.between(0.5, 1) }, dice.pick(drawings)());
}

function star(tips: number, radius: number): [number, number][] {
  return around(2 * tips, 1).map(([x, y], i) => {
    const r = i % 2 === 0 ? radius : radius * 0.45;
    return [x * r, y * r];
  });
}

function hills(canvas: Canvas): string {
  const { dice, width, height, short } = canvas;
  const layers = Array.from({ length: dice.whole(1, 3) }, (_, i) => {
    const y = height * (0.5 + 0.17 * i + dice.between(-0.06, 0.06));
    const rise = () => dice.between(-0.12, 0.12) * short;
    return path(
      `M0 ${y} C${width * 0.25} ${y + rise()} ${width * 0.35} ${y + rise()} ${width * 0.5} ${y + rise()} S${width * 0.8} ${y + rise()} ${width} ${y} V${height} H0 Z`,
      { fill: neighbour(canvas, 12) },
    );
  });
  const light = dice.chance(0.5)
    ? circle(dice.between(0, width), dice.between(0, 0.3) * height, dice.between(0.05, 0.12) * short, {
        fill: css(shade(canvas.base, 10)),
      })
    : "";
  return light + layers.join("");
}

function room(canvas: Canvas): string {
  const { dice, width, height } = canvas;
  const edge = height * dice.between(0.6, 0.85);
  const floor = rectangle(0, edge, width, height - edge, { fill: neighbour(canvas, 14) });
  const wall = dice.chance(0.5) ? stripes(canvas) : "";
  return wall + floor + line(0, edge, width, edge, { stroke: neighbour(canvas, 24), "stroke-width": height * 0.015 });
}

function stripes(canvas: Canvas): string {
  const { dice, width, height, short } = canvas;
  const step = dice.between(0.06, 0.2) * short;
  const reach = width + height;
  const fill = neighbour(canvas, 7);
  const bars = Array.from({ length: Math.ceil((2 * reach) / step / 2) }, (_, i) =>
    rectangle(2 * i * step - reach, -reach, step, 3 * reach, { fill }),
  );
  return group({ transform: `rotate(${dice.between(0, 180)} ${width / 2} ${height / 2})` }, ...bars);
}

function checks(canvas: Canvas): string {
  const { dice, width, height, short } = canvas;
  const step = dice.between(0.1, 0.22) * short;
  const fill = neighbour(canvas, 7);
  const squares: string[] = [];
  for (let row = 0; row * step < height; row++)
    for (let column = row % 2; column * step < width; column += 2)
      squares.push(rectangle(column * step, row * step, step, step, { fill }));
  return squares.join("");
}

function dots(canvas: Canvas): string {
  const { dice, width, height, short } = canvas;
  return Array.from({ length: dice.whole(12, 40) }, () =>
    circle(dice.between(0, width), dice.between(0, height), dice.between(0.02, 0.14) * short, {
      fill: neighbour(canvas, 9),
      opacity: dice.between(0.3, 0.8),
    }),
  ).join("");
}

function patchwork(canvas: Canvas): string {
  const { dice, width, height } = canvas;
  return Array.from({ length: dice.whole(4, 9) }, () =>
    polygon(
      Array.from({ length: dice.whole(3, 4) }, () => [
        dice.between(-0.2, 1.2) * width,
        dice.between(-0.2, 1.2) * height,
      ]),
      { fill: neighbour(canvas, 9), opacity: 0.7 },
    ),
  ).join("");
}
