import { describe, expect, it } from "vitest";
import { renderScene } from "#src/demo/pictures.js";
import { composeScene } from "#src/demo/scene.js";
import { subjects } from "#src/demo/subjects/subjects.js";
import { sharp } from "#src/images/sharp.js";

describe("scenes", () => {
  it("are of at least ten classes, with names of their own, in the order of their folders", () => {
    const names = subjects.map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(10);
    expect(names).toEqual([...new Set(names)].sort());
  });

  it("are pure functions of seed, class and index", () => {
    for (const subject of subjects) {
      const scene = composeScene(3, subject, 5);
      composeScene(9, subject, 1);
      expect(composeScene(3, subject, 5)).toEqual(scene);
      expect(composeScene(4, subject, 5).svg).not.toBe(scene.svg);
      expect(composeScene(3, subject, 6).svg).not.toBe(scene.svg);
    }
  });

  it.each(subjects)("of $name become JPEGs of the size they state, of many sizes and aspects", async (subject) => {
    const scenes = Array.from({ length: 6 }, (_, i) => composeScene(1, subject, i));
    for (const scene of scenes) {
      const { format, width, height, channels } = await sharp(await renderScene(scene)).metadata();
      expect({ format, width, height, channels }).toEqual({
        format: "jpeg",
        width: scene.width,
        height: scene.height,
        channels: 3,
      });
    }
    expect(new Set(scenes.map(({ width, height }) => `${width}x${height}`)).size).toBeGreaterThan(3);
  });

  it("draw numbers only", () => {
    for (const subject of subjects)
      for (let i = 0; i < 20; i++) expect(composeScene(1, subject, i).svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  // By the nearest of the classes' mean colours; guessing is right once in twelve times.
  it("can't be told apart by colour", async () => {
    const known = 10;
    const asked = 5;
    const colours = await Promise.all(
      subjects.map((subject) =>
        Promise.all(Array.from({ length: known + asked }, (_, i) => middleColour(composeScene(1, subject, i)))),
      ),
    );
    const means = colours.map((rows) => average(rows.slice(0, known)));
    const right = colours.flatMap((rows, label) =>
      rows.slice(known).filter((colour) => nearest(means, colour) === label),
    );
    expect(right.length / (asked * subjects.length)).toBeLessThan(0.25);
  });
});

type Colour = readonly number[];

async function middleColour(scene: ReturnType<typeof composeScene>): Promise<Colour> {
  const left = Math.round(scene.width / 4);
  const top = Math.round(scene.height / 4);
  const { channels } = await sharp(await renderScene(scene))
    .extract({ left, top, width: Math.round(scene.width / 2), height: Math.round(scene.height / 2) })
    .stats();
  return channels.map(({ mean }) => mean);
}

function average(rows: readonly Colour[]): Colour {
  return [0, 1, 2].map((i) => rows.reduce((sum, row) => sum + (row[i] ?? 0), 0) / rows.length);
}

function nearest(means: readonly Colour[], colour: Colour): number {
  const distances = means.map((mean) => Math.hypot(...mean.map((value, i) => value - (colour[i] ?? 0))));
  return distances.indexOf(Math.min(...distances));
}
