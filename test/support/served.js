// A thread that serves what the tests of the thread protocol call (test/system/threads/call.test.ts has its interface).
import { setTimeout } from "node:timers/promises";
import { AlexnetError } from "../../dist/errors.js";
import { moving } from "../../dist/system/threads/protocol.js";
import { serve } from "../../dist/system/threads/serve.js";

serve(({ greeting, refuse }) => {
  if (refuse !== undefined) throw new AlexnetError("engine", refuse, { cause: new Error("not installed") });
  const log = [];
  const late = async (name, milliseconds) => {
    log.push(`${name} begins`);
    await setTimeout(milliseconds);
    log.push(`${name} ends`);
    return [...log];
  };
  return {
    greeting,
    late,
    fail(what) {
      const cause = new RangeError("status 2", { cause: Object.assign(new Error("no room"), { errno: -28 }) });
      const hint = { advice: "give a smaller batch", option: "batchSize", value: 256 };
      throw Object.assign(new AlexnetError("memory", what, { cause, hint }), { status: 2 });
    },
    failWith: (value) => {
      throw value;
    },
    failInACircle() {
      const error = new TypeError("round");
      error.cause = error;
      throw error;
    },
    answerWithFunction: () => () => {},
    double: (values) => values.map((value) => 2 * value),
    grow: (memory) => moving({ memory, bytes: memory.byteLength }, [memory]),
    fill(shared, value) {
      new Uint8Array(shared).fill(value);
    },
    sum: (values) => values.reduce((sum, value) => sum + value, 0),
    counter(start) {
      let count = start;
      return { start, next: () => ++count, close: () => log.push(`counter closed at ${count}`) };
    },
    end: (code) => process.exit(code),
    throwLater: () => void setTimeout(1).then(() => Promise.reject(new Error("nobody waits for this"))),
    exhaust() {
      const kept = [];
      for (;;) kept.push(new Array(1e6).fill(kept.length));
    },
    loop() {
      for (;;);
    },
    async close() {
      if (greeting === "fails to close") throw new AlexnetError("disk", "closing failed");
      await setTimeout(1);
    },
  };
});
