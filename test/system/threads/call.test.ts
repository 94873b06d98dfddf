import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ResourceLimits } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { AlexnetError } from "#src/errors.js";
import { mapFloats } from "#src/system/mapped-memory.js";
import { type Remote, Thread } from "#src/system/threads/call.js";
import { moving } from "#src/system/threads/protocol.js";
import { temporaryFolder } from "../../support/folders.js";

interface Setup {
  readonly greeting: string;
  readonly refuse?: string;
}

/** What support/served.js serves. */
interface Served {
  readonly greeting: string;
  late(name: string, milliseconds: number): Promise<readonly string[]>;
  fail(what: string): never;
  failWith(value: unknown): never;
  failInACircle(): never;
  answerWithFunction(): unknown;
  double(values: Float32Array): Float32Array;
  grow(memory: ArrayBuffer): { readonly memory: ArrayBuffer; readonly bytes: number };
  fill(shared: SharedArrayBuffer, value: number): void;
  sum(values: Float32Array): number;
  counter(start: number): Counter;
  end(code: number): never;
  throwLater(): void;
  exhaust(): never;
  loop(): never;
  close(): Promise<void>;
}

interface Counter {
  readonly start: number;
  next(): number;
  close(): void;
}

const script = new URL("../../support/served.js", import.meta.url);
let thread: Thread<Setup, Served> | undefined;

function start(setup: Setup = { greeting: "hello" }, resourceLimits?: ResourceLimits): Thread<Setup, Served> {
  thread = new Thread<Setup, Served>(script, setup, { name: "the served thread", resourceLimits });
  return thread;
}

const open = (): Promise<Remote<Served>> => start().ready;
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error,
  );

afterEach(async () => {
  await thread?.close().catch(() => {});
});

describe("a thread's surface", () => {
  test("comes with its values and answers its calls", async () => {
    const served = await open();
    expect(served.greeting).toBe("hello");
    expect(await served.sum(Float32Array.of(1, 2, 3))).toBe(6);
  });

  test("carries out calls in the order they are made, one at a time, also when they answer late", async () => {
    const served = await open();
    const [, log] = await Promise.all([served.late("first", 30), served.late("second", 1)]);
    expect(log).toEqual(["first begins", "first ends", "second begins", "second ends"]);
  });

  test("keeps what a call makes to be closed later: its values cross, its calls are made there", async () => {
    const served = await open();
    const [one, other] = [await served.counter(10), await served.counter(0)];
    expect([one.start, await one.next(), await one.next(), await other.next()]).toEqual([10, 11, 12, 1]);
    await one.close();
    await one.close();
    expect(await failureOf(one.next())).toMatchObject({ code: "closed", message: "next: called after close" });
    expect(await other.next()).toBe(2);
    expect(await served.late("look", 0)).toContain("counter closed at 12");
  });
});

describe("errors cross between threads", () => {
  test("whole: class, code, problem, hints, message, stack, causes and plain data", async () => {
    const served = await open();
    const error = await failureOf(served.fail("batches of 512 need 7.1 GB"));
    expect(error).toBeInstanceOf(AlexnetError);
    expect(error).toMatchObject({
      code: "memory",
      problem: "batches of 512 need 7.1 GB",
      message: "batches of 512 need 7.1 GB; give a smaller batch (batchSize: 256)",
      hints: [{ advice: "give a smaller batch", option: "batchSize", value: 256 }],
      status: 2,
      stack: expect.stringContaining("served.js"),
      cause: { name: "RangeError", message: "status 2", cause: { message: "no room", errno: -28 } },
    });
    expect(await served.sum(Float32Array.of(1))).toBe(1);
  });

  test("those of others, texts, and errors that are their own cause", async () => {
    const served = await open();
    expect(await failureOf(served.failWith("only a text"))).toMatchObject({ name: "Error", message: "only a text" });
    expect(await failureOf(served.failInACircle())).toMatchObject({ name: "TypeError", cause: { message: "round" } });
  });

  test("for answers and arguments that can't cross", async () => {
    const served = await open();
    expect(await failureOf(served.answerWithFunction())).toMatchObject({ name: "DataCloneError" });
    expect(await failureOf(served.failWith(() => {}))).toMatchObject({ name: "DataCloneError" });
    expect(await served.sum(Float32Array.of(2))).toBe(2);
  });

  test("when the surface can't be opened: every wait for it fails so, and closing is quiet", async () => {
    const refused = start({ greeting: "", refuse: "no library" });
    expect(await failureOf(refused.ready)).toMatchObject({
      code: "engine",
      message: "no library",
      cause: { message: "not installed" },
    });
    expect(refused.isOpen).toBe(false);
    await refused.close();
    await start({ greeting: "", refuse: "no library" }).close(); // before it is known
  });
});

describe("memory", () => {
  test("is copied by default, and what an answer consists of moves", async () => {
    const served = await open();
    const values = Float32Array.of(1, 2);
    const doubled = await served.double(values);
    expect([values, doubled]).toEqual([Float32Array.of(1, 2), Float32Array.of(2, 4)]);
  });

  test("that is named as moving goes there and comes back with the answer, uncopied", async () => {
    const served = await open();
    const memory = new ArrayBuffer(8);
    const answer = served.grow(moving(memory, [memory]));
    expect(memory.byteLength).toBe(0);
    expect(await answer).toMatchObject({ bytes: 8, memory: { byteLength: 8 } });
  });

  test("that is a mapped file's stays where it is, though it is named as moving: the thread has a copy", async () => {
    const path = join(temporaryFolder(), "numbers");
    writeFileSync(path, Float32Array.of(1, 2, 3));
    const file = openSync(path, "r");
    const { grow } = await start().ready;
    const mapped = mapFloats(file, 0, 3);
    closeSync(file);
    if (mapped === undefined) throw new Error("this system maps no files");
    const memory = mapped.buffer as ArrayBuffer;
    const answer = await grow(moving(memory, [memory]));
    expect([...new Float32Array(answer.memory)]).toEqual([1, 2, 3]);
    expect([...mapped]).toEqual([1, 2, 3]);
  });

  test("that is shared is written in place", async () => {
    const served = await open();
    const shared = new SharedArrayBuffer(3);
    await served.fill(shared, 7);
    expect([...new Uint8Array(shared)]).toEqual([7, 7, 7]);
  });

  test("that is a mapped file's crosses by its place", async () => {
    const path = join(temporaryFolder(), "values");
    writeFileSync(path, Float32Array.of(1, 2, 3, 4));
    const file = openSync(path, "r");
    const values = mapFloats(file, 0, 4);
    closeSync(file);
    const served = await open();
    expect(await served.sum(values?.subarray(1) ?? Float32Array.of())).toBe(9);
  });
});

describe("a thread that dies", () => {
  const died = (message: RegExp, code = "engine") => ({ code, message: expect.stringMatching(message) });

  test("by its exit: what is under way fails by its name, and later calls too", async () => {
    const served = await open();
    const outcomes = await Promise.all([served.end(3), served.late("never", 1)].map(failureOf));
    for (const error of outcomes) expect(error).toMatchObject(died(/^the served thread ended with code 3$/));
    expect(await failureOf(served.sum(Float32Array.of()))).toMatchObject(died(/code 3$/));
    await thread?.close();
  });

  test("by an error that nobody waits for: the error says which, and has it as its cause", async () => {
    const served = await open();
    await served.throwLater();
    const error = await failureOf(served.late("never", 1000));
    expect(error).toMatchObject(died(/^the served thread was ended by an error \(nobody waits for this\)$/));
    expect(error).toMatchObject({ cause: { message: "nobody waits for this" } });
  });

  test("of a message that it can't read", async (context) => {
    const circular = new TypeError("round");
    circular.cause = circular;
    context.skip(canBeRead(circular), "this Node.js reads errors that are their own cause, and no other message fails");
    const served = await open();
    expect(await failureOf(served.failWith(circular))).toMatchObject(died(/^the served thread was ended by an error/));
  });

  test("of too little memory: the error's code says so", async () => {
    const served = await start({ greeting: "" }, { maxOldGenerationSizeMb: 20 }).ready;
    expect(await failureOf(served.exhaust())).toMatchObject(died(/^the served thread was ended by .*memory/, "memory"));
  });

  test("because it was given up: what is under way fails as the caller says", async () => {
    const served = await open();
    const looping = failureOf(served.loop());
    await thread?.terminate(new AlexnetError("unusable-data", "takes too long"));
    expect(await looping).toMatchObject({ code: "unusable-data", message: "takes too long" });
    expect(thread?.isOpen).toBe(false);
  });
});

describe("closing a thread", () => {
  test("answers the call it is at, refuses those behind and later ones, and closes the surface", async () => {
    const served = await open();
    const [first, second] = [served.late("first", 20), failureOf(served.late("second", 1))];
    const closed = thread?.close();
    expect(await failureOf(served.sum(Float32Array.of()))).toMatchObject({
      code: "closed",
      message: "the served thread was closed",
    });
    expect(await first).toEqual(["first begins", "first ends"]);
    expect(await second).toMatchObject({ code: "closed" });
    await closed;
    await thread?.close();
  });

  test("fails as closing its surface fails, and ends the thread all the same", async () => {
    const failing = start({ greeting: "fails to close" });
    await failing.ready;
    expect(await failureOf(failing.close())).toMatchObject({ code: "disk", message: "closing failed" });
  });

  test("is not needed for the process to end, which waits for calls alone", () => {
    const program = `
      import { Thread } from ${JSON.stringify(new URL("../../../dist/system/threads/call.js", import.meta.url).href)};
      const thread = new Thread(new URL(${JSON.stringify(script.href)}), { greeting: "" }, { name: "forgotten" });
      const served = await thread.ready;
      served.late("last", 50).then((log) => console.log(log.join()));`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
      timeout: 30_000,
    });
    expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: "last begins,last ends\n" });
  });
});

/** Whether what was copied can be made of the copy: newer versions of Node.js read what older ones can't. */
function canBeRead(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
