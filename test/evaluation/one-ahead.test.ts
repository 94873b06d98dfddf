import { expect, it } from "vitest";
import { oneAhead } from "#src/evaluation/one-ahead.js";

async function* upTo(count: number) {
  for (let i = 0; i < count; i++) yield i;
}

it("makes each call before the answer of the one before is waited for, and gives all in order", async () => {
  const log: string[] = [];
  const call = async (item: number): Promise<number> => {
    log.push(`call ${item}`);
    return item * item;
  };
  for await (const [item, answer] of oneAhead(upTo(3), call)) log.push(`${item}: ${answer}`);
  expect(log).toEqual(["call 0", "call 1", "0: 0", "call 2", "1: 1", "2: 4"]);
});

it("fails with the first call that fails", async () => {
  const call = (item: number) => (item === 0 ? Promise.resolve(item) : Promise.reject(new Error(`call ${item}`)));
  const given: number[] = [];
  const all = async () => {
    for await (const [item] of oneAhead(upTo(4), call)) given.push(item);
  };
  await expect(all()).rejects.toThrow("call 1");
  expect(given).toEqual([0]);
});
