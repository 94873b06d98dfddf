import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sharp } from "#src/images/sharp.js";
import { bits } from "#src/random.js";
import { type Serving, serve } from "#src/server/serve.js";
import { tries } from "../support/effort.js";
import { quick, trainedSet } from "../support/trained-runs.js";

const { path, scratch } = trainedSet();
let serving: Serving;
const unforeseen: unknown[] = [];
beforeAll(async () => {
  serving = await serve({ runs: scratch, port: 0, ...quick, onError: (error) => unforeseen.push(error) });
});
afterAll(() => serving.close());

test("damaged uploads are answered, whatever is damaged, and the server goes on", async () => {
  const whole = readFileSync(join(path, "val", "lake", "0.png"));
  const kinds = await Promise.all(
    [sharp(whole).jpeg(), sharp(whole).png(), sharp(whole).webp()].map((to) => to.toBuffer()),
  );
  const count = tries({ few: 100, many: 2000 });
  for (let turn = 0; turn < count; turn++) {
    const bytes = Buffer.from(kinds[turn % kinds.length] ?? whole);
    const changes = 1 + (bits(turn, 0) % 20);
    for (let i = 0; i < changes; i++) bytes[bits(turn, i, 1) % bytes.length] = bits(turn, i, 2) % 256;
    const cut = turn % 5 === 0 ? bytes.subarray(0, bits(turn, 3) % bytes.length) : bytes;
    const answer = await fetch(`${serving.url}/api/runs/run/classify`, {
      method: "POST",
      body: cut,
      headers: { "content-type": "application/octet-stream" },
    });
    expect([200, 400, 413, 422], `upload ${turn}`).toContain(answer.status);
    await answer.arrayBuffer();
  }
  expect(unforeseen).toEqual([]);
  expect((await fetch(`${serving.url}/api/runs`)).status).toBe(200);
});
