import { PassThrough } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { settingRows, shortNames } from "#src/cli/display/comparison.js";
import { EventDisplay } from "#src/cli/display/events.js";
import { describeProblem } from "#src/cli/display/failures.js";
import { wrapLine } from "#src/cli/display/layout.js";
import { formatTable } from "#src/cli/display/print.js";
import { StatusLine } from "#src/cli/display/status-line.js";
import { differingSettings } from "#src/runs/differences.js";
import { alexnet } from "../support/command-line.js";

/** A stream like stderr, and what was written to it. */
function capture(isTTY: boolean, columns = 120) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns, rows: 40 }) as unknown as NodeJS.WriteStream;
  let written = "";
  stream.on("data", (text) => {
    written += text;
  });
  return { display: new EventDisplay(new StatusLine(stream)), written: () => written };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("how far a preparation is", () => {
  test("where there is no terminal: a line now and then, with rate, time left and what was skipped", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { display, written } = capture(false);
    display.update({ kind: "preparing", phase: "listing", done: 0, total: 0, skipped: 0 });
    for (let done = 0; done <= 200_000; done += 100) {
      display.update({ kind: "preparing", phase: "preparing", done, total: 400_000, skipped: done / 100 });
      vi.advanceTimersByTime(10);
    }
    display.update({ kind: "preparing", phase: "finishing", done: 400_000, total: 400_000, skipped: 4000 });
    const lines = written().split("\n");
    expect(lines).toEqual([
      "preparing: looking for pictures",
      expect.stringMatching(/^preparing: 50,000 of 400,000 pictures, 0:35 left, 10000\/s, 500 skipped$/),
      expect.stringMatching(/^preparing: 100,000 of 400,000 pictures, 0:30 left, 10000\/s, 1,000 skipped$/),
      expect.stringMatching(/^preparing: 150,000 of 400,000 pictures, 0:25 left, 10000\/s, 1,500 skipped$/),
      expect.stringMatching(/^preparing: 200,000 of 400,000 pictures, 0:20 left, 10000\/s, 2,000 skipped$/),
      expect.stringMatching(/^preparing: 400,000 of 400,000 pictures, \d+\/s, 4,000 skipped$/),
      "",
    ]);
  });

  test("on a terminal: while it lists, prepares and finishes; the line is gone at the end", async () => {
    const { display, written } = capture(true);
    const shown = async (text: string | RegExp) => {
      await setTimeout(250); // the bar draws ten times a second
      expect(written()).toMatch(text);
    };
    display.update({ kind: "preparing", phase: "listing", done: 0, total: 0, skipped: 0 });
    display.update({ kind: "preparing", phase: "listing", done: 51_200, total: 0, skipped: 0 });
    await shown("listing: 51,200 pictures found");
    display.update({ kind: "preparing", phase: "preparing", done: 100, total: 400, skipped: 0 });
    display.update({ kind: "preparing", phase: "preparing", done: 200, total: 400, skipped: 7 });
    await shown(/\[={12}-{12}\] 50% {2}200 of 400 pictures {2}0:00 left {2}\d+\/s {2}7 skipped/);
    display.update({ kind: "preparing", phase: "finishing", done: 400, total: 400, skipped: 7 });
    await shown("finishing: 400 of 400 pictures");
    const before = written().length;
    display.stop();
    expect(written().slice(before), "the line is erased").toContain("\u001b[2K");
  });
});

describe("what happens while a call goes on", () => {
  afterEach(() => {
    process.exitCode = undefined;
  });

  test("where there is no terminal: no progress, but warnings with their flags, and files that can't be read", () => {
    const { display, written } = capture(false);
    display.update({ kind: "progress", of: "classifying", done: 1, total: 2 });
    const hints = [{ advice: "give a smaller batch", option: "batchSize", value: 256 }];
    display.update({ kind: "warning", problem: "little memory is left", hints });
    expect(process.exitCode).toBeUndefined();
    display.update({ kind: "unreadable", file: "a\nb.jpg", error: "a\nb.jpg: no such file" });
    display.stop();
    expect(written()).toBe(
      "warning: little memory is left; give a smaller batch (--batch 256)\nalexnet: a\\nb.jpg: no such file\n",
    );
    expect(process.exitCode).toBe(1);
  });

  test("on a terminal: one bar after the other, with lines that stay above it, and none once it was stopped", () => {
    const { display, written } = capture(true);
    display.update({ kind: "progress", of: "classifying", done: 1, total: 4 });
    expect(written()).toMatch(/classifying \[[=-]+\] 1\/4/);
    display.update({ kind: "warning", problem: "slow", hints: [] });
    expect(written()).toMatch(/warning: slow\n.*classifying \[/s);
    expect(written().lastIndexOf("\u001b[2K", written().indexOf("warning")), "erased first").toBeGreaterThan(0);
    display.update({ kind: "progress", of: "searching", done: 0, total: 4 });
    expect(written()).toMatch(/searching \[-+\] 0\/4/);
    display.stop();
    const before = written();
    display.update({ kind: "progress", of: "searching", done: 3, total: 4 });
    expect(written()).toBe(before);
  });
});

describe("a narrow terminal", () => {
  test("the bar becomes short before the time left goes, and what matters least goes first", () => {
    const shown = (columns: number): string | undefined => {
      const { display, written } = capture(true, columns);
      display.update({ kind: "preparing", phase: "preparing", done: 50_000, total: 400_000, skipped: 12_000 });
      const [line] = /\[[=-]*\].*/.exec(written()) ?? [];
      display.stop();
      return line;
    };
    expect(shown(100)).toBe("[===---------------------] 12%  50,000 of 400,000 pictures  0/s  12,000 skipped");
    expect(shown(70)).toBe("[==------------] 12%  50,000 of 400,000 pictures  0/s  12,000 skipped");
    expect(shown(52)).toBe("[==----------] 12%  50,000 of 400,000 pictures  0/s");
    expect(shown(30)).toBe("[] 12%  50,000 of 400,000 pic");
  });

  test("errors are wrapped between words, and a command to copy has a line of its own that is not broken", () => {
    const hints = [
      {
        advice: "resume it",
        call: "resume",
        options: { run: "runs/a run with a name that is longer than a line of it" },
      },
      { advice: "give a smaller batch", option: "batchSize", value: 256 },
    ];
    expect(describeProblem({ problem: "stopped in epoch 2 after step 16; all is saved", hints }, "alexnet: ", 40)).toBe(
      [
        "alexnet: stopped in epoch 2 after step",
        "  16; all is saved; resume it:",
        "  alexnet train --resume 'runs/a run with a name that is longer than a line of it'",
        "or give a smaller batch (--batch 256)",
      ].join("\n"),
    );
  });
});

describe("a line that is too long for a terminal", () => {
  test("is broken between words, and goes on further in", () => {
    expect(wrapLine("  the best epoch, 1, was picked by chance", 24).split("\n")).toEqual([
      "  the best epoch, 1,",
      "    was picked by chance",
    ]);
  });

  test("goes on below its text where a label stands before it", () => {
    expect(wrapLine("recipe    small: batches of 32", 24).split("\n")).toEqual([
      "recipe    small: batches",
      "          of 32",
    ]);
  });

  test("is left as it is where it fits, and where there is no terminal", () => {
    expect(wrapLine("recipe    small: batches of 32", 30)).toBe("recipe    small: batches of 32");
    expect(wrapLine("recipe    small: batches of 32", undefined)).toBe("recipe    small: batches of 32");
  });
});

describe("a table", () => {
  const head = ["class", "pictures", "top-1 error", "predicted as"];
  const rows = [
    ["海岸 大", "50", "8.0 %", "cat (3)"],
    ["suspension-bridge", "1,250", "50.0 %", "a sea shore with a name of many words (14)"],
  ];

  test("has columns of one width, whatever a terminal makes of their characters", () => {
    const lines = formatTable(head, rows).split("\n");
    expect(lines).toEqual([
      "class              pictures  top-1 error  predicted as",
      "-----------------  --------  -----------  ------------------------------------------",
      "海岸 大                  50        8.0 %  cat (3)",
      "suspension-bridge     1,250       50.0 %  a sea shore with a name of many words (14)",
    ]);
  });

  test("fits into a terminal: headings and texts are wrapped", () => {
    expect(formatTable(head, rows, 60).split("\n")).toEqual([
      "class              pictures   top-1  predicted as",
      "                              error",
      "-----------------  --------  ------  -----------------------",
      "海岸 大                  50   8.0 %  cat (3)",
      "suspension-bridge     1,250  50.0 %  a sea shore with a name",
      "                                     of many words (14)",
    ]);
  });

  test("of numbers alone goes on below", () => {
    expect(formatTable(["", "1", "2", "3"], [["cat", "10", "20", "30"]], 12)).toBe(
      ["      1   2", "---  --  --", "cat  10  20", "", "      3", "---  --", "cat  30"].join("\n"),
    );
  });
});

test("settings that differ are short: hashes, paths, and a layer that only some networks have as one", () => {
  const norm = { name: "norm1", kind: "local-response-norm", k: 2, n: 5, alpha: 1e-4, beta: 0.75 };
  const config = (layers: readonly object[], more: object) => ({
    network: { layers },
    recipeReason: "a sentence",
    ...more,
  });
  const rows = settingRows(
    differingSettings([
      config([norm], { data: { source: "/home/me/pictures/of/many/birds", hash: "0123456789abcdef0123456789abcdef" } }),
      config([], {
        recipeReason: "another",
        data: { source: "/home/me/pictures/of/few/cats", hash: "feed".repeat(8) },
      }),
    ]),
  );
  expect(rows).toEqual([
    { path: "norm1", values: ["local-response-norm k=2 n=5 alpha=0.0001 beta=0.75", "none"] },
    { path: "data.source", values: ["…/birds", "…/cats"] },
    { path: "data.hash", values: ["012345", "feedfe"] },
  ]);
  expect(shortNames(["runs/a", "runs/b"])).toEqual(["a", "b"]);
  expect(shortNames(["x/a", "y/a"])).toEqual(["x/a", "y/a"]);
});

test("a pattern that the shell took apart: the error says to put it into quotes", () => {
  const { status, stderr } = alexnet("prepare", "train-000.tar", "train-001.tar", "train-002.tar", "--out", "store");
  expect(status).toBe(2);
  expect(stderr).toContain(
    "prepare takes one set, here are 3 (train-000.tar, train-001.tar, …); put a pattern into quotes",
  );
});
