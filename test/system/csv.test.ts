import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvLine, parseCsvLine, splitCsvLines } from "#src/system/csv.js";

const field = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", " ", "é") });
const row = fc.array(field, { minLength: 1, maxLength: 5 });

describe("CSV", () => {
  it("quotes only what must be", () => {
    expect(csvLine(["a b", "c,d", 'e"f', 1.5])).toBe('a b,"c,d","e""f",1.5\n');
  });

  it("reads back what was written, whatever it holds", () => {
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const lines = splitCsvLines(rows.map(csvLine).join(""));
        expect(lines.map(parseCsvLine)).toEqual(rows);
      }),
      { seed: 1 },
    );
  });

  it("leaves out a last line that was cut short", () => {
    const text = csvLine(["x", "1"]) + csvLine(["line\nfeed", "2"]);
    for (let end = csvLine(["x", "1"]).length; end < text.length; end++)
      expect(splitCsvLines(text.slice(0, end))).toEqual(["x,1\n"]);
  });
});
