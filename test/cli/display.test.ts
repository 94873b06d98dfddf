import { PassThrough } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { EventDisplay } from "#src/cli/display/events.js";
import { StatusLine } from "#src/cli/display/status-line.js";
import { alexnet } from "../support/command-line.js";

/** A stream like stderr, and what was written to it. */
function capture(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 }) as unknown as NodeJS.WriteStream;
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
      expect.stringMatching(/^preparing: 50,000 of 400,000 pictures, 10000\/s, 0:35 left, 500 skipped$/),
      expect.stringMatching(/^preparing: 100,000 of 400,000 pictures, 10000\/s, 0:30 left, 1,000 skipped$/),
      expect.stringMatching(/^preparing: 150,000 of 400,000 pictures, 10000\/s, 0:25 left, 1,500 skipped$/),
      expect.stringMatching(/^preparing: 200,000 of 400,000 pictures, 10000\/s, 0:20 left, 2,000 skipped$/),
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
    await shown(/[=█].* 50% {2}200 of 400 pictures, \d+\/s, 0:00 left, 7 skipped/);
    display.update({ kind: "preparing", phase: "finishing", done: 400, total: 400, skipped: 7 });
    await shown("finishing: 400 of 400 pictures");
    expect(written()).not.toContain("\n");
    display.stop();
    const [hidden, shownAgain] = ["\u001b[?25l", "\u001b[?25h"].map((code) => written().lastIndexOf(code));
    expect(shownAgain, "the cursor is back").toBeGreaterThan(hidden);
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
    expect(written().endsWith("\r\u001b[Kwarning: slow\n")).toBe(true);
    display.update({ kind: "progress", of: "searching", done: 0, total: 4 });
    expect(written()).toMatch(/searching \[-+\] 0\/4/);
    display.stop();
    const before = written();
    display.update({ kind: "progress", of: "searching", done: 3, total: 4 });
    expect(written()).toBe(before);
  });
});

test("a pattern that the shell took apart: the error says to put it into quotes", () => {
  const { status, stderr } = alexnet("prepare", "train-000.tar", "train-001.tar", "train-002.tar", "--out", "store");
  expect(status).toBe(2);
  expect(stderr).toContain(
    "prepare takes one set, here are 3 (train-000.tar, train-001.tar, …); put a pattern into quotes",
  );
});
