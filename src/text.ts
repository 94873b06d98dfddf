/** Numbers and names as people read them. */

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A name from outside on one line: line breaks as \n, and what else steers a terminal as \u001b and so on. */
export function printable(name: string): string {
  return name.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** 60,965,224 */
export function thousands(value: number): string {
  return value.toLocaleString("en-US");
}

/** "1 picture", "2,000 pictures". @param many where it isn't the noun with an s */
export function counted(count: number, noun: string, many = `${noun}s`): string {
  return `${thousands(count)} ${count === 1 ? noun : many}`;
}

/** 1.23 GB, in units of 1000. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toPrecision(3)} ${units[power - 1]}`;
}

/** 63.4 % */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** 63.42 %, 5 %: no digits that say nothing. */
export function shortPercent(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`;
}

/** 2:03:04, or 3:04 below an hour. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** As text or an attribute's value in HTML and SVG. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** "crab, crow and 7 more": the first of some names, and how many more there are. */
export function enumerate(names: readonly string[], named = 10): string {
  const more = names.length - named;
  return names.slice(0, named).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/**
 * Where a name is among others, -1 where it isn't. One name in two forms of Unicode is one name: disks and programs write
 * é as one character or as two.
 */
export function indexOfName(names: readonly string[], name: string): number {
  const exact = names.indexOf(name);
  if (exact >= 0) return exact;
  const composed = name.normalize();
  return names.findIndex((other) => other.normalize() === composed);
}

/** Order of names that no locale changes: by code points, as of their bytes in UTF-8. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return placeOf(x) - placeOf(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all that are one UTF-16 unit. */
function placeOf(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
