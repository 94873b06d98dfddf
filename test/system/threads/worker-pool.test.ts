import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("threads that are ended inside of failing native calls don't take the process with them", () => {
  const pool = JSON.stringify(new URL("../../../dist/system/threads/worker-pool.js", import.meta.url).href);
  const script = JSON.stringify(new URL("../../support/failing-calls.js", import.meta.url).href);
  const program = `
    import { setTimeout } from "node:timers/promises";
    import { WorkerPool } from ${pool};
    for (let round = 0; round < 3; round++) {
      const pool = new WorkerPool(new URL(${script}), 2);
      console.log(await pool.run(1));
      const last = Promise.allSettled([1, 2, 3, 4, 5, 6].map(() => pool.run(5000)));
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
