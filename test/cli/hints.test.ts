import { expect, test } from "vitest";
import { describeProblem } from "#src/cli/display/failures.js";
import { AlexnetError, type Hint } from "#src/errors.js";

const said = (hint: Hint | readonly Hint[]): string =>
  describeProblem(new AlexnetError("memory", "too much", { hint }));

test("an error's option is a flag on the command line, with its value", () => {
  expect(said({ option: "batchSize", value: 256 })).toBe("too much; set --batch 256");
  expect(said({ advice: "replace it", option: "force", value: true })).toBe("too much; replace it (--force)");
  expect(said({ option: "learningRate" })).toBe("too much; set --learning-rate");
});

test("a call of the library is a command on the command line, in quotes where a shell needs them", () => {
  const hint = { advice: "go on", call: "resume", options: { run: "runs/it's $HOME", batchSize: 8 } };
  expect(said(hint)).toBe("too much; go on: alexnet train --resume 'runs/it'\\''s $HOME' --batch 8");
  expect(said({ advice: "see them", call: "listRuns", options: {} })).toBe("too much; see them: alexnet runs");
});

test("an argument without a flag is called as the help calls it", () => {
  expect(said({ advice: "name the pictures", option: "data" })).toBe("too much; name the pictures ([pictures])");
  const hint = { advice: "say where they are now", call: "resume", options: { run: "a", data: "path/to/my photos" } };
  expect(said(hint)).toBe("too much; say where they are now: alexnet train --resume a 'path/to/my photos'");
});

test("several ways out are alternatives", () => {
  expect(
    said([
      { option: "width", value: 0.5 },
      { advice: "go on", call: "resume", options: { run: "a" } },
    ]),
  ).toBe("too much; set --width 0.5, or go on: alexnet train --resume a");
});
