import { expect, test } from "vitest";
import { z } from "zod";
import type { AlexnetError } from "#src/errors.js";
import { fraction, nearestOf, parseOptions, path, positiveNumber, taskShape, wholeNumber } from "#src/options.js";

const schema = z.object({
  data: path(),
  epochs: wholeNumber(1).optional(),
  rate: positiveNumber(16).optional(),
  pictures: z.array(path()).optional(),
  batchSize: z.union([wholeNumber(1), z.literal("auto")]).optional(),
  recipe: z.union([z.string(), z.object({ name: z.string(), epochs: z.number() })]).optional(),
  engine: z.enum(["auto", "onednn"]).optional(),
  every: z
    .discriminatedUnion("unit", [
      z.object({ unit: z.literal("steps"), every: z.number() }),
      z.object({ unit: z.literal("seconds"), every: z.number() }),
    ])
    .optional(),
  preparation: z.strictObject({ valFraction: fraction().optional() }).optional(),
  ...taskShape(),
});

function failureOf(value: unknown): AlexnetError {
  try {
    parseOptions(schema, value, "train");
  } catch (error) {
    return error as AlexnetError;
  }
  throw new Error("was accepted");
}

test.each([
  [undefined, "takes an object of options, not undefined"],
  ["photos", 'takes an object of options, not "photos"'],
  [{}, "data is missing; give a path, as a string (data)"],
  [{ data: "" }, 'data is ""; give a path, as a string (data)'],
  [{ data: Buffer.from("photos") }, "data is a Buffer; give a path, as a string (data)"],
  [{ data: "photos", epochs: -1 }, "epochs is -1; give a whole number from 1 (epochs)"],
  [{ data: "photos", epochs: "3" }, 'epochs is "3"; give a whole number from 1 (epochs)'],
  [{ data: "photos", epochs: 2.5 }, "epochs is 2.5; give a whole number from 1 (epochs)"],
  [{ data: "photos", epochs: null }, "epochs is null; give a whole number from 1 (epochs)"],
  [{ data: "photos", rate: Number.NaN }, "rate is NaN; give a number above 0, up to 16 (rate)"],
  [{ data: "photos", pictures: "photos" }, 'pictures is "photos"; give an array (pictures)'],
  [{ data: "photos", pictures: ["a", 3] }, "pictures.1 is 3; give a path, as a string (pictures.1)"],
  [{ data: "photos", batchSize: "all" }, 'batchSize is "all"; give a whole number from 1 or "auto" (batchSize)'],
  [{ data: "photos", recipe: { name: "mine" } }, "recipe.epochs is missing; give a number (recipe.epochs)"],
  [{ data: "photos", recipe: 3 }, "recipe is 3; give a string or an object (recipe)"],
  [{ data: "photos", engine: "cuda9" }, 'engine is "cuda9"; give one of "auto", "onednn" (engine)'],
  [{ data: "photos", every: { unit: "days" } }, 'every.unit is "days"; give one of "steps", "seconds" (every.unit)'],
  [{ data: "photos", preparation: { seed: 1 } }, "preparation has no field seed; leave it out (preparation)"],
  [{ data: "photos", signal: true }, "signal is true; give the signal of an AbortController (signal)"],
  [{ data: "photos", onEvent: 1 }, "onEvent is 1; give a function that takes events (onEvent)"],
  [{ data: "photos", epoch: 3 }, "there is no option epoch; did you mean epochs?"],
  [{ data: "photos", verbose: true }, "there is no option verbose"],
])("options %o are refused with the field's name", (value, message) => {
  expect(failureOf(value)).toMatchObject({ code: "invalid-option", message: `train: ${message}` });
});

test("the field and what to give are the error's hint, for pages and command lines", () => {
  expect(failureOf({ data: "photos", epochs: 0 }).hints).toEqual([
    { advice: "give a whole number from 1", option: "epochs" },
  ]);
});

test("options that can be meant come back as they are", () => {
  const options = { data: "photos", epochs: 3, batchSize: "auto", every: { unit: "steps", every: 5 } };
  expect(parseOptions(schema, { ...options, rate: undefined }, "train")).toEqual(options);
});

test("the nearest name is one that few letters are different in", () => {
  expect(nearestOf("learningrate", ["learningRate", "epochs"])).toBe("learningRate");
  expect(nearestOf("batchsizes", ["batchSize", "epochs"])).toBe("batchSize");
  expect(nearestOf("colour", ["epochs", "seed"])).toBeUndefined();
});
