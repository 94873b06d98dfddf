import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { Dropping } from "#src/engine/onednn/rows/dropout.js";
import { type Place, sharedFrame } from "#src/engine/onednn/rows/memory.js";
import { Team } from "#src/engine/onednn/rows/team.js";
import { dropoutMask } from "#src/engine/program/dropout-mask.js";
import { normal } from "#src/random.js";
import { addressOf } from "#src/system/native/memory.js";

const [SAMPLES, UNITS, LAYER, SEED, RATE] = [40, 37, 3, 11, 0.3];

const placeOf = (values: ArrayBufferView, type: Place["type"]): Place => ({
  address: addressOf(values),
  bytes: values.byteLength,
  type,
});

/** A dropout layer's values by a team of so many threads, a few times over. */
async function dropped(threads: number): Promise<Float32Array> {
  const team = new Team(threads);
  const [from, to] = [
    Float32Array.from({ length: SAMPLES * UNITS }, (_, i) => normal(i)),
    new Float32Array(SAMPLES * UNITS),
  ];
  const mask = new Uint8Array(SAMPLES * UNITS);
  const frame = sharedFrame(Dropping.length);
  frame.set([1, SEED]);
  const places = { from: placeOf(from, "float32"), to: placeOf(to, "float32"), mask: placeOf(mask, "byte") };
  const prepared = team.prepare("dropout", { rate: RATE, layer: LAYER, units: UNITS, ...places, frame });
  prepared.run(SAMPLES);
  await new Promise((resolve) => setTimeout(resolve, 300)); // the workers have started
  for (let again = 0; again < 50; again++) {
    to.fill(Number.NaN);
    prepared.run(SAMPLES);
    expect(to.every((value) => !Number.isNaN(value))).toBe(true);
  }
  for (let sample = 0; sample < SAMPLES; sample++) {
    const factors = new Float32Array(UNITS);
    dropoutMask(factors, RATE, SEED, LAYER, sample);
    const row = Array.from(factors, (factor, i) => Math.fround(factor * (from[sample * UNITS + i] ?? Number.NaN)));
    expect([...to.subarray(sample * UNITS, (sample + 1) * UNITS)]).toEqual(row);
    expect([...mask.subarray(sample * UNITS, (sample + 1) * UNITS)]).toEqual(
      row.map((value) => (value === 0 ? 0 : 255)),
    );
  }
  prepared.close();
  await team.close();
  return to;
}

describe("a team of threads", () => {
  test("gives the same bits whatever its size, and drops what every engine drops", async () => {
    const alone = await dropped(1);
    for (const threads of [2, 5]) expect(await dropped(threads)).toEqual(alone);
  });

  test("carries operations out one after the other, those of programs that came later too", async () => {
    const team = new Team(3);
    const frame = sharedFrame(Dropping.length);
    frame.set([1, SEED]);
    const values = Array.from({ length: 30 }, () => new Float32Array(SAMPLES * UNITS).fill(1));
    const masks = new Uint8Array(SAMPLES * UNITS);
    for (const own of values) {
      const place = placeOf(own, "float32");
      const constants = {
        rate: 0.5,
        layer: LAYER,
        units: UNITS,
        from: place,
        to: place,
        mask: placeOf(masks, "byte"),
        frame,
      };
      const prepared = team.prepare("dropout", constants);
      for (let times = 0; times < 3; times++) prepared.run(SAMPLES);
      prepared.close();
    }
    for (const own of values) expect(own.every((value) => value === 0 || value === 8)).toBe(true);
    await team.close();
  });

  test("gives what a row throws to who asked, and goes on", async () => {
    const team = new Team(2);
    const frame = sharedFrame(Dropping.length);
    frame.set([1, SEED]);
    const short = new Float32Array(UNITS); // one sample's
    const place = placeOf(short, "float32");
    const prepared = team.prepare("dropout", {
      rate: 0.5,
      layer: 0,
      units: UNITS,
      from: place,
      to: place,
      mask: place,
      frame,
    });
    for (let times = 0; times < 20; times++) expect(() => prepared.run(4)).toThrow(/offset is out of bounds/);
    expect(() => prepared.run(1)).not.toThrow();
    await team.close();
    expect(() => prepared.run(1)).toThrow(expect.objectContaining({ code: "closed" }));
  });

  test("is closed once its workers have ended: a thread may end then", async () => {
    const workers: Worker[] = [];
    const note = (message: unknown) => workers.push((message as { worker: Worker }).worker);
    subscribe("worker_threads", note);
    await dropped(3);
    unsubscribe("worker_threads", note);
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });
});
