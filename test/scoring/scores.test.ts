import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errors, highest, Scorer } from "#src/scoring/scores.js";

describe("highest", () => {
  test("agrees with sorting, the first of equals first", () => {
    const values = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 6 }), (numbers, count) => {
        const sorted = numbers
          .map((_, i) => i)
          .sort((a, b) => numbers[b] - numbers[a] || a - b)
          .slice(0, count);
        expect(highest(Float32Array.from(numbers), count)).toEqual(sorted);
      }),
    );
  });

  test("what isn't a number is never among them", () => {
    expect(highest(Float32Array.of(Number.NaN, 0.1, Number.NaN, 0.2), 5)).toEqual([3, 1]);
    expect(highest(new Float32Array(3).fill(Number.NaN), 1)).toEqual([]);
  });
});

describe("Scorer", () => {
  const classes = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"];
  const sure = (predicted: number): Float32Array => Float32Array.from(classes, (_, i) => (i === predicted ? 0.4 : 0.1));

  test("counts exactly, by class and in all", () => {
    const scorer = new Scorer(classes);
    scorer.add(sure(0), 0);
    scorer.add(sure(2), 0);
    scorer.add(sure(2), 0);
    scorer.add(sure(1), 0);
    scorer.add(sure(6), 5); // 0.1 each for ant to dog before fox: not among the five
    const scores = scorer.scores();
    expect(scores).toMatchObject({ samples: 5, top1Correct: 1, top5Correct: 4 });
    expect(scores.loss).toBeCloseTo(-(Math.log(0.4) + 4 * Math.log(0.1)) / 5, 6);
    expect(errors(scores)).toEqual({ top1: 4 / 5, top5: 1 / 5 });
    expect(scorer.byClass()[0]).toEqual({
      name: "ant",
      samples: 4,
      top1Correct: 1,
      top5Correct: 4,
      predicted: 1,
      takenFor: { name: "cat", count: 2 },
    });
    expect(scorer.byClass()[1]).toMatchObject({ samples: 0, takenFor: undefined });
  });

  test("a network that gives no numbers is wrong about everything", () => {
    const scorer = new Scorer(classes);
    scorer.add(new Float32Array(7).fill(Number.NaN), 0);
    expect(scorer.scores()).toMatchObject({ samples: 1, top1Correct: 0, top5Correct: 0 });
  });

  test("no pictures: no errors", () => {
    expect(errors(new Scorer(classes).scores())).toEqual({ top1: 0, top5: 0 });
  });
});
