import { expect, test } from "vitest";
import { counted, enumerate, indexOfName, printable } from "#src/text.js";

test.each([
  ["goldfish, Carassius auratus 🐟", "goldfish, Carassius auratus 🐟"],
  ["a\nb\tc\r.jpg", "a\\nb\\tc\\r.jpg"],
  ["\u001b[2Jred\u0007\u009b\u2028.jpg", "\\u001b[2Jred\\u0007\\u009b\\u2028.jpg"],
])("%j is printed on one line, and steers no terminal", (name, printed) => {
  expect(printable(name)).toBe(printed);
});

test("of many names the first ten are told", () => {
  const names = Array.from({ length: 13 }, (_, i) => String(i));
  expect(enumerate(names.slice(0, 10))).toBe("0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
  expect(enumerate(names)).toBe("0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 3 more");
});

test("a count goes with the singular or the plural", () => {
  expect([counted(1, "epoch"), counted(2000, "epoch"), counted(0, "batch", "batches")]).toEqual([
    "1 epoch",
    "2,000 epochs",
    "0 batches",
  ]);
});

test("a name is found among others in whichever form of Unicode; in its own form first", () => {
  const [composed, decomposed] = ["caf\u00e9", "cafe\u0301"];
  expect(indexOfName(["a", decomposed], composed)).toBe(1);
  expect(indexOfName([composed, decomposed], decomposed)).toBe(1);
  expect(indexOfName(["cafe", "Caf\u00e9"], composed)).toBe(-1);
});
