import type { Dice } from "./dice.js";
import { type Attributes, gradient } from "./svg.js";

/** A colour by hue in degrees, saturation and lightness in percent. */
export interface Colour {
  readonly hue: number;
  readonly saturation: number;
  readonly lightness: number;
}

export function css({ hue, saturation, lightness }: Colour): string {
  const whole = (value: number): number => Math.round(value);
  return `hsl(${((whole(hue) % 360) + 360) % 360}, ${whole(saturation)}%, ${whole(lightness)}%)`;
}

export function shade(colour: Colour, lighter: number): Colour {
  return { ...colour, lightness: Math.min(97, Math.max(4, colour.lightness + lighter)) };
}

/**
 * What a subject is painted with. Colours come from the dice alone, never from the class: no class can be told by its
 * colour. Only their lightness keeps away from the backdrop's, so that the subject stands out.
 */
export interface Paint {
  /** Fills: flat colours, or gradients that `definitions` holds. */
  readonly main: string;
  readonly second: string;
  readonly third: string;
  readonly dark: string;
  readonly light: string;
  /** The colour of lines that are part of the thing: masts, spokes, hands. */
  readonly line: string;
  /** How all shapes are outlined, or not. */
  readonly outline: Attributes;
  readonly definitions: string;
}

export function mixPaint(dice: Dice, backdropLightness: number): Paint {
  const onDark = backdropLightness < 50;
  const saturation = dice.between(35, 95);
  const first = dice.between(0, 360);
  const spread = dice.pick([30, 60, 120, 150, 180]) * dice.sign();
  const lightness = onDark ? dice.between(58, 84) : dice.between(26, 54);
  const main: Colour = { hue: first, saturation, lightness };
  const second: Colour = {
    hue: first + spread,
    saturation: saturation * dice.between(0.5, 1),
    lightness: onDark ? dice.between(40, 80) : dice.between(32, 74),
  };
  const third: Colour = { hue: first - spread, saturation, lightness: dice.between(30, 70) };
  const dark: Colour = { hue: first + spread, saturation: 30, lightness: dice.between(10, 24) };
  const light: Colour = { hue: first, saturation: 30, lightness: dice.between(86, 96) };
  const ink = css(onDark ? light : dark);
  const shaded = dice.chance(0.5);
  const angle = dice.between(0, 360);
  const fill = (id: string, colour: Colour): readonly [string, string] =>
    shaded
      ? [`url(#${id})`, gradient(id, angle, [css(shade(colour, 14)), css(shade(colour, -12))])]
      : [css(colour), ""];
  const [mainFill, mainGradient] = fill("main", main);
  const [secondFill, secondGradient] = fill("second", second);
  const outline: Attributes = dice.chance(0.65)
    ? { stroke: ink, "stroke-width": dice.between(1, 2.6), "stroke-linejoin": "round", "stroke-linecap": "round" }
    : { stroke: "none", "stroke-linejoin": "round", "stroke-linecap": "round" };
  return {
    main: mainFill,
    second: secondFill,
    third: css(third),
    dark: css(dark),
    light: css(light),
    line: ink,
    outline,
    definitions: mainGradient + secondGradient,
  };
}
