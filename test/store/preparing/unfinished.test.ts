import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensurePrepared } from "#src/store/cache.js";
import { keys, openForWriting } from "#src/store/database.js";
import { prepare } from "#src/store/preparing/prepare.js";
import { temporaryFolder } from "../../support/folders.js";
import { drawSome, write } from "../../support/stores.js";

/** A store that was stopped while it was written. */
async function begin(): Promise<{ readonly source: string; readonly out: string }> {
  const source = temporaryFolder();
  const out = join(temporaryFolder(), "store");
  write(source, await drawSome("a/", 300, 1));
  write(source, await drawSome("b/", 20, 2));
  const stop = new AbortController();
  const onEvent = ({ phase, done }: { readonly phase: string; readonly done: number }) => {
    if (phase === "preparing" && done > 0) stop.abort();
  };
  const options = { source, out, encoding: "raw", workers: 1, signal: stop.signal, onEvent } as const;
  await expect(prepare(options)).rejects.toMatchObject({ code: "interrupted" });
  return { source, out };
}

const text = (value: string) => Buffer.from(value);
/** The value of a key, changed; undefined removes it. */
type Damage = (value: Buffer) => Uint8Array | undefined;
const edited =
  (change: (value: Record<string, unknown>) => unknown): Damage =>
  (value) =>
    text(JSON.stringify(change(JSON.parse(value.toString()))));

const damages: Readonly<Record<string, readonly [key: string, Damage]>> = {
  "a job that is cut": [keys.job, (value) => value.subarray(0, 100)],
  "a job of another form": [keys.job, () => text("[]")],
  "a job without its list": [keys.job, edited(({ plan: _, ...rest }) => rest)],
  "a job with labels beyond its classes": [
    keys.job,
    edited((job) => ({ ...job, plan: { ...(job.plan as object), labels: [0, 7] } })),
  ],
  "progress that is missing": [keys.progress, () => undefined],
  "progress that counts in words": [keys.progress, edited((progress) => ({ ...progress, next: "many" }))],
  "progress with sums that are no numbers": [keys.progress, edited((progress) => ({ ...progress, products: ["x"] }))],
  "sums of pixels that are cut": [keys.pixelSums, (value) => value.subarray(0, 8000)],
  "a list that is missing": [keys.plan(1), () => undefined],
  "a list that is no JSON": [keys.plan(1), () => text("[[")],
  "a list with a place of an unknown kind": [keys.plan(1), () => text('[["a.jpg",0,null,{"kind":"moon"}]]')],
  "a list with a class that is not there": [
    keys.plan(1),
    (value) => text(value.toString().replaceAll(/,\d+,null,/g, ",99,null,")),
  ],
  "a list with entries left out": [
    keys.plan(1),
    (value) => text(JSON.stringify(JSON.parse(value.toString()).slice(1))),
  ],
  "draws for validation that are cut": [keys.drawnForValidation, (value) => value.subarray(0, 10)],
};

test("a half-written store with a damaged part is refused with its name, the part and the way out", async () => {
  const { source, out } = await begin();
  for (const [name, [key, damage]] of Object.entries(damages)) {
    const copy = join(temporaryFolder(), "store");
    cpSync(out, copy, { recursive: true });
    const database = openForWriting(copy);
    const value = database.getBinary(key);
    if (value === undefined) throw new Error(`${key} is not there`);
    const changed = damage(Buffer.from(value));
    database.transactionSync(() => {
      if (changed === undefined) database.removeSync(key);
      else database.putSync(key, changed);
    });
    await database.close();
    const again = prepare({ source, out: copy, encoding: "raw", workers: 1 });
    await expect(again, name).rejects.toMatchObject({
      code: "damaged-file",
      problem: expect.stringContaining(`${copy}: damaged picture store: `),
      hints: [{ advice: "remove it and prepare it again", call: "prepare", options: { out: copy } }],
    });
  }
  await expect(prepare({ source, out, encoding: "raw", workers: 1 })).resolves.toMatchObject({ reused: false });
});

test("listing and hashing a set are stopped by the signal, also where its store is prepared already", async () => {
  const source = temporaryFolder();
  process.env.ALEXNET_CACHE = temporaryFolder();
  write(source, await drawSome("a/", 5, 1));
  write(source, await drawSome("b/", 5, 2));
  await ensurePrepared(source);
  for (const name of ["a", "b"]) {
    mkdirSync(join(source, name, "more"));
    for (let i = 0; i < 5000; i++) writeFileSync(join(source, name, "more", `${i}.jpg`), "");
  }
  const stop = new AbortController();
  const stopped = ensurePrepared(source, { signal: stop.signal }).then(
    () => undefined,
    (error: unknown) => error,
  );
  setTimeout(() => stop.abort("enough"), 20);
  expect(await stopped).toMatchObject({ code: "interrupted" });
  const stores = readdirSync(process.env.ALEXNET_CACHE ?? "");
  expect(stores).toHaveLength(1);
});
