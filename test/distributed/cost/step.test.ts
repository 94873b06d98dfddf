import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Wire } from "#src/distributed/cost/collectives.js";
import { bestHybridStep, computeSeconds, hybridStep, plainStep, type StepTimes } from "#src/distributed/cost/step.js";
import { paper } from "#src/network/architectures/paper.js";
import { parameterTable } from "#src/network/parameters.js";

/** No latency: a second for each byte that a rank sends. */
const slow: Wire = { bytesPerSecond: 1, latency: 0 };
const gigabit: Wire = { bytesPerSecond: 1.25e8, latency: 20e-6, sumBytesPerSecond: 5e9 };
const tenGigabit: Wire = { ...gigabit, bytesPerSecond: 1.25e9 };
const LOSS = 24; // bytes

/** A bucket for each layer of the paper's network, and times of about two cores. */
const times: StepTimes = (() => {
  const bytes = new Map<string, number>();
  for (const { layer, count } of parameterTable(paper)) bytes.set(layer, (bytes.get(layer) ?? 0) + 4 * count);
  const buckets = [...bytes].reverse().map(([layer, size]) => ({
    layers: [layer],
    bytes: size,
    seconds: layer.startsWith("fc") ? 0.03 : 0.18,
  }));
  return { forward: 0.6, buckets, update: 0.06 };
})();
const split = { network: paper, batchSize: 128 };

describe("a step in which all ranks have all layers", () => {
  const two = (first: number, second: number): StepTimes => ({
    forward: 10,
    buckets: [
      { layers: ["fc2"], bytes: first, seconds: 5 },
      { layers: ["conv1"], bytes: second, seconds: 20 },
    ],
    update: 3,
  });

  it("waits for the last exchange alone, where computing hides those before", () => {
    // fc2 is there at 15 and exchanged by 25; conv1 at 35, exchanged by 39; then the loss.
    expect(plainStep(two(10, 4), 2, slow)).toEqual({
      seconds: 39 + LOSS + 3,
      exchangeSeconds: 14 + LOSS,
      hidden: 1 - (4 + LOSS) / (14 + LOSS),
      sentBytes: 14 + LOSS,
    });
  });

  it("exchanges one bucket after the other, where the wire is slower than computing", () => {
    // fc2 is exchanged from 15 to 115, conv1 to 119.
    expect(plainStep(two(100, 4), 2, slow).seconds).toBe(119 + LOSS + 3);
  });

  it("takes as long as computing in a world of one", () => {
    expect(plainStep(times, 1, slow)).toEqual({
      seconds: computeSeconds(times),
      exchangeSeconds: 0,
      hidden: 1,
      sentBytes: 0,
    });
  });

  it("takes no less than computing or exchanging, and no more than both, whatever the figures", () => {
    const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
    const bucket = fc.record({
      layers: fc.constant(["conv1"]),
      bytes: fc.integer({ min: 4, max: 1e9 }),
      seconds: positive,
    });
    const anyTimes = fc.record({ forward: positive, buckets: fc.array(bucket, { minLength: 1 }), update: positive });
    fc.assert(
      fc.property(anyTimes, fc.integer({ min: 2, max: 2000 }), positive, (some, ranks, rate) => {
        const { seconds, exchangeSeconds, hidden } = plainStep(some, ranks, { ...gigabit, bytesPerSecond: rate * 1e6 });
        const computing = computeSeconds(some);
        const rounding = 1 + 1e-9;
        expect(seconds * rounding).toBeGreaterThanOrEqual(Math.max(computing, exchangeSeconds));
        expect(seconds).toBeLessThanOrEqual((computing + exchangeSeconds) * rounding);
        expect(hidden).toBeGreaterThanOrEqual(0);
        expect(hidden).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("a step in which groups of ranks split the fully connected layers", () => {
  it("is the plain step where groups are of one rank and the order of exchanges is the same", () => {
    for (const ranks of [1, 2, 6, 1024]) {
      const { group, ...alone } = hybridStep(times, { ...split, ranks, group: 1 }, gigabit);
      expect(group).toBe(1);
      expect(alone.sentBytes).toBeCloseTo(plainStep(times, ranks, gigabit).sentBytes, 3);
      expect(alone.seconds).toBeGreaterThanOrEqual(plainStep(times, ranks, gigabit).seconds);
    }
    const fast = { ...gigabit, bytesPerSecond: 1e12 };
    expect(hybridStep(times, { ...split, ranks: 4, group: 1 }, fast).seconds).toBeCloseTo(
      plainStep(times, 4, fast).seconds,
      3,
    );
  });

  it("sends 9,216 and twice 4,096 activations a sample and their gradients, logits, and the convolutions' gradients", () => {
    const convolutions = parameterTable(paper).filter(({ layer }) => layer.startsWith("conv"));
    const gradients = 4 * convolutions.reduce((sum, { count }) => sum + count, 0);
    const activations = 4 * 128 * (2 * (9216 + 4096 + 4096) + 1000);
    const { sentBytes } = hybridStep(times, { ...split, ranks: 2, group: 2 }, gigabit);
    expect(sentBytes).toBeCloseTo(activations + gradients + LOSS, 3);
    expect(plainStep(times, 2, gigabit).sentBytes / sentBytes).toBeGreaterThan(8);
  });

  it("of as many ranks as there are sends more activations than gradients would be, so that groups stay small", () => {
    const everyone = hybridStep(times, { ...split, ranks: 1024, group: 1024 }, tenGigabit);
    const best = bestHybridStep(times, { ...split, ranks: 1024 }, tenGigabit);
    expect(everyone.sentBytes).toBeGreaterThan(20 * plainStep(times, 1024, tenGigabit).sentBytes);
    expect(best.group).toBeGreaterThan(1);
    expect(best.group).toBeLessThan(64);
    expect(1024 % best.group).toBe(0);
  });

  it("is quicker on a slow wire", () => {
    for (const ranks of [2, 8, 64, 1024])
      expect(bestHybridStep(times, { ...split, ranks }, gigabit).seconds).toBeLessThan(
        0.8 * plainStep(times, ranks, gigabit).seconds,
      );
  });

  it("holds and updates its own outputs alone", () => {
    const instant = { ...gigabit, bytesPerSecond: 1e18, latency: 0, sumBytesPerSecond: 1e18 };
    const connected = times.buckets.slice(0, 3).reduce((sum, { bytes }) => sum + bytes, 0);
    const all = times.buckets.reduce((sum, { bytes }) => sum + bytes, 0);
    const update = times.update * (1 - (connected / all) * (3 / 4));
    const { seconds } = hybridStep(times, { ...split, ranks: 4, group: 4 }, instant);
    expect(seconds).toBeCloseTo(computeSeconds(times) - times.update + update, 6);
  });
});
