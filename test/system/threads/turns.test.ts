import { setImmediate, setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Overlap, Turns } from "#src/system/threads/turns.js";

/** Work that logs when it begins and ends. */
function logged(log: string[]) {
  return (name: string, milliseconds: number) => async () => {
    log.push(`${name}(`);
    await setTimeout(milliseconds);
    log.push(`)${name}`);
    return name;
  };
}

test("work is done in the order it is asked for, though what comes first takes longest", async () => {
  const log: string[] = [];
  const [turns, work] = [new Turns(), logged(log)];
  const answers = [turns.take(work("a", 20)), turns.take(() => "at once"), turns.take(work("b", 1))];
  expect(await Promise.all(answers)).toEqual(["a", "at once", "b"]);
  expect(log.join(" ")).toBe("a( )a b( )b");
});

test("work begins within the call where nothing is before it", () => {
  const log: string[] = [];
  new Turns().take(() => log.push("begun"));
  expect(log).toEqual(["begun"]);
});

test("an error goes to the one who asked, and the next is done all the same", async () => {
  const turns = new Turns();
  const outcomes = await Promise.allSettled([
    turns.take(() => {
      throw new Error("at once");
    }),
    turns.take(() => Promise.reject(new Error("late"))),
    turns.take(() => 3),
  ]);
  expect(outcomes).toMatchObject([
    { status: "rejected", reason: { message: "at once" } },
    { status: "rejected", reason: { message: "late" } },
    { status: "fulfilled", value: 3 },
  ]);
});

test("work of one overlap is under way together, so much as it says; what isn't waits for all of it", async () => {
  const turns = new Turns();
  const begun: string[] = [];
  const finish = new Map<string, () => void>();
  const take = (name: string, overlap?: Overlap) =>
    turns.take(() => {
      begun.push(name);
      return new Promise<void>((resolve) => finish.set(name, resolve));
    }, overlap);
  const end = async (name: string) => {
    finish.get(name)?.();
    await setImmediate();
    return begun.join(" ");
  };
  const [batches, others] = [
    { of: {}, most: 2 },
    { of: {}, most: 2 },
  ];
  for (const name of ["a", "b", "c"]) take(name, batches);
  take("read");
  take("d", batches);
  take("e", others);
  expect(begun.join(" ")).toBe("a b");
  expect(await end("b")).toBe("a b c");
  expect(await end("a")).toBe("a b c");
  expect(await end("c")).toBe("a b c read");
  expect(await end("read")).toBe("a b c read d");
  expect(await end("d")).toBe("a b c read d e");
});
