import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { AlexnetError } from "../errors.js";
import { imagenetClasses } from "../formats/imagenet-classes.js";
import type { ImportOptions } from "../formats/import.js";

/** "1,2,3", or one number for all three; undefined for anything else. */
export function readTriple(text: string): [number, number, number] | undefined {
  const numbers = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const [red = Number.NaN, green = red, blue = red] = numbers;
  const whole = (numbers.length === 1 || numbers.length === 3) && numbers.every(Number.isFinite);
  return whole ? [red, green, blue] : undefined;
}

/**
 * What `--mean` says: `red,green,blue`, or the path of a mean image.
 * @throws AlexnetError "invalid-option" for text that is neither.
 */
export function parseMean(text: string): ImportOptions["mean"] {
  if ([".binaryproto", ".npy"].includes(extname(text).toLowerCase())) return text;
  const colour = readTriple(text);
  if (colour === undefined)
    throw new AlexnetError(
      "invalid-option",
      `--mean ${text}: give a .binaryproto, a .npy or three numbers red,green,blue`,
    );
  return colour;
}

/**
 * What `--classes` says, as names in the order of the outputs: those of a text file, one a line; or ImageNet's "names",
 * or its "ids", which are what the folders of its pictures are named by.
 * @throws AlexnetError "not-found" when the file can't be read, "invalid-option" when a name is empty or there twice.
 */
export function readClasses(path: string): readonly string[] {
  if (path === "names" || path === "ids") return imagenetClasses.map((row) => (path === "ids" ? row.id : row.name));
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new AlexnetError("not-found", `--classes ${path}: can't be read; give a text file with a name a line`, {
      cause,
    });
  }
  const names = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (names.some((name) => name.trim() === "") || twice !== undefined)
    throw new AlexnetError(
      "invalid-option",
      `--classes ${path}: ${twice ?? "an empty line"}: names must be there and differ`,
    );
  return names;
}
