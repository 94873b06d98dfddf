import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errors, f1, highest, macroScores, neverRecognised, Scorer } from "#src/scoring/scores.js";

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

  /** Of ant 4 pictures, 2 right, 2 taken for bee; of bee 1, right; of cat 2, taken for ant and dog; of dog none. */
  function unbalanced(): Scorer {
    const scorer = new Scorer(classes);
    for (const [label, predicted] of [
      [0, 0],
      [0, 0],
      [0, 1],
      [0, 1],
      [1, 1],
      [2, 0],
      [2, 3],
    ] as const)
      scorer.add(sure(predicted), label);
    return scorer;
  }

  test("mean recall and macro F1 count each class once; classes without pictures have no recall", () => {
    const { meanRecall, macroF1, top1Correct } = unbalanced().scores();
    expect(top1Correct).toBe(3);
    // Recall: ant 2/4, bee 1/1, cat 0/2. F1: ant 4/7, bee 2/4, cat 0, dog (taken for, but not there) 0; eel to gnu left out.
    expect(meanRecall).toBeCloseTo((1 / 2 + 1 + 0) / 3, 15);
    expect(macroF1).toBeCloseTo((4 / 7 + 1 / 2 + 0 + 0) / 4, 15);
    expect(unbalanced().byClass().map(f1)).toEqual([4 / 7, 1 / 2, 0, 0, 0, 0, 0]);
    expect(neverRecognised(unbalanced().byClass()).map(({ name }) => name)).toEqual(["cat"]);
  });

  test("where classes are of one size, mean recall is the share of right answers", () => {
    const scorer = new Scorer(classes.slice(0, 3));
    for (const [label, predicted] of [0, 1, 1, 1, 2, 0].map((predicted, i) => [i >> 1, predicted] as const))
      scorer.add(
        Float32Array.from([0, 1, 2], (i) => (i === predicted ? 1 : 0)),
        label,
      );
    const { meanRecall, top1Correct, samples } = scorer.scores();
    expect(meanRecall).toBeCloseTo(top1Correct / samples, 15);
  });

  test("no pictures: no mean recall and no macro F1", () => {
    expect(macroScores([])).toEqual({ meanRecall: 0, macroF1: 0 });
    expect(new Scorer(classes).scores()).toMatchObject({ meanRecall: 0, macroF1: 0 });
  });

  test("no pictures: no errors", () => {
    expect(errors(new Scorer(classes).scores())).toEqual({ top1: 0, top5: 0 });
  });
});
