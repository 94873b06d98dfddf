import { describe, expect, it } from "vitest";
import { centreView, checkViewCount, tenViews, viewsOf } from "#src/store/views.js";

const SIZES = { pictureSize: 256, cropSize: 227 };
const FAR = 256 - 227;

describe("views of a picture", () => {
  it("one is the centre, ten are the paper's", () => {
    expect(viewsOf(1, SIZES, 3)).toEqual([centreView(SIZES, 3)]);
    expect(viewsOf(10, SIZES, 3)).toEqual(tenViews(SIZES, 3));
    expect(viewsOf(5, SIZES)).toEqual(tenViews(SIZES).filter(({ mirrored }) => !mirrored));
  });

  it.each([
    [8, 2, 2],
    [12, 2, 3],
    [18, 3, 3],
    [144, 8, 9],
  ])("%i are %i x %i crops from edge to edge, and their mirror images", (count, rows, columns) => {
    const views = viewsOf(count, SIZES);
    expect(views).toHaveLength(count);
    expect(new Set(views.map(({ top }) => top)).size).toBe(rows);
    expect(new Set(views.map(({ left }) => left)).size).toBe(columns);
    expect(new Set(views.map((view) => JSON.stringify(view))).size).toBe(count);
    for (const side of ["top", "left"] as const) {
      const places = views.map((view) => view[side]);
      expect([Math.min(...places), Math.max(...places)]).toEqual([0, FAR]);
    }
    expect(views.filter(({ mirrored }) => mirrored)).toHaveLength(count / 2);
  });

  it.each([0, 3, 7, 14, 26, -2, 1.5, Number.NaN])("%d are no grid", (count) => {
    expect(() => checkViewCount(count)).toThrow(/views: give 1, 2, 5, 10, or twice/);
  });
});
