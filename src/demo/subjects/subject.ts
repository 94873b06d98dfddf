import type { Dice } from "../dice.js";
import type { Paint } from "../paint.js";

/** One class of pictures: how its thing is drawn. */
export interface Subject {
  /** The class's name, and its folder's. */
  readonly name: string;
  /** The most it leans to either side, in degrees. */
  readonly lean: number;
  /** SVG inside (-50, -50) to (50, 50), y down, upright: shapes, proportions and parts vary with the dice. */
  draw(dice: Dice, paint: Paint): string;
}
