import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Timing } from "#src/training/stopwatch.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Settles after so many milliseconds. */
const settled = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

describe("the share of time spent waiting for pictures", () => {
  test("is the time until a batch is there, of all the time", async () => {
    const timing = new Timing();
    for (let step = 0; step < 4; step++) {
      const batch = timing.wait(settled(25));
      await vi.advanceTimersByTimeAsync(25);
      await batch;
      await vi.advanceTimersByTimeAsync(75); // the step computes
      timing.add(128);
    }
    expect(timing.epoch).toEqual({ imagesPerSecond: 1280, waiting: 0.25 });
    expect(timing.lately.waiting).toBe(0.25);
  });

  test("has no part of what passes while the step before still computes", async () => {
    const timing = new Timing();
    const batch = timing.wait(settled(60), settled(50));
    await vi.advanceTimersByTimeAsync(60);
    await batch;
    const early = timing.wait(settled(20), settled(40));
    await vi.advanceTimersByTimeAsync(40);
    await early;
    timing.add(1);
    expect(timing.epoch.waiting).toBeCloseTo(10 / 100, 12);
  });
});
