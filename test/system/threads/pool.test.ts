import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { Pool } from "#src/system/threads/pool.js";

/** What support/served.js serves, as far as it is called here. */
interface Served {
  late(name: string, milliseconds: number): Promise<readonly string[]>;
  sum(values: Float32Array): number;
  end(code: number): never;
}

const script = new URL("../../support/served.js", import.meta.url);
const start = (size: number) =>
  new Pool<{ greeting: string }, Served>(script, size, { greeting: "" }, "a served thread");
let pool: ReturnType<typeof start> | undefined;
afterEach(() => pool?.close());

describe("a pool", () => {
  test("gives each call to the thread with the least to do; each thread makes one at a time", async () => {
    const own = start(2);
    pool = own;
    const logs = await Promise.all(["a", "b", "c", "d"].map((name) => own.run((thread) => thread.late(name, 10))));
    expect(logs.map((log) => log.join(" "))).toEqual([
      "a begins a ends",
      "b begins b ends",
      "a begins a ends c begins c ends",
      "b begins b ends d begins d ends",
    ]);
  });

  test("that is closed answers the calls that threads are at, and refuses all others by name", async () => {
    const own = start(1);
    await own.run((thread) => thread.sum(Float32Array.of()));
    const names = ["a", "b", "c", "d"];
    const outcomes = Promise.allSettled(names.map((name) => own.run((thread) => thread.late(name, 20))));
    await Promise.resolve(); // the first is handed over
    await own.close();
    const refused = { status: "rejected", reason: { code: "closed", message: "a served thread was closed" } };
    expect(await outcomes).toMatchObject([{ status: "fulfilled" }, refused, refused, refused]);
    await expect(own.run((thread) => thread.sum(Float32Array.of()))).rejects.toMatchObject(refused.reason);
  });

  test("whose thread dies says so to those who wait for it and to those who come later", async () => {
    const own = start(1);
    pool = own;
    const died = { code: "engine", message: "a served thread ended with code 3" };
    const outcomes = ["x", "y", "z"].map((name) =>
      own.run((thread) => (name === "x" ? thread.end(3) : thread.late(name, 1))),
    );
    for (const outcome of await Promise.allSettled(outcomes)) expect(outcome).toMatchObject({ reason: died });
    await expect(own.run((thread) => thread.sum(Float32Array.of()))).rejects.toMatchObject(died);
  });
});

test("threads that are ended inside of failing native calls don't take the process with them", () => {
  const module = JSON.stringify(new URL("../../../dist/system/threads/pool.js", import.meta.url).href);
  const failing = JSON.stringify(new URL("../../support/failing-calls.js", import.meta.url).href);
  const program = `
    import { setTimeout } from "node:timers/promises";
    import { Pool } from ${module};
    for (let round = 0; round < 3; round++) {
      const pool = new Pool(new URL(${failing}), 2, undefined, "a failing thread");
      const fail = (calls) => pool.run((thread) => thread.fail(calls));
      console.log(await fail(1));
      const last = Promise.allSettled([1, 2, 3, 4, 5, 6].map(() => fail(5000)));
      await setTimeout(20);
      await pool.close();
      console.log((await last).map(({ status }) => status).join());
    }
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  const round = "1\nfulfilled,fulfilled,fulfilled,fulfilled,rejected,rejected\n"; // what threads had is answered
  expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: round.repeat(3) });
});
