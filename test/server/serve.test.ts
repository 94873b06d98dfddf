import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openModel } from "#src/evaluation/open-model.js";
import { sharp } from "#src/images/sharp.js";
import type { StepRow } from "#src/runs/metrics.js";
import { type Serving, serve } from "#src/server/serve.js";
import { train } from "#src/training/train.js";
import { bombs } from "../support/bombs.js";
import { quick, trainedSet } from "../support/trained-runs.js";
import { quickTraining } from "../support/training.js";

const { run, path, scratch } = trainedSet();
const picture = (name: string): Buffer => readFileSync(join(path, "val", name, "0.png"));
const png = { "content-type": "image/png" } as const;

let serving: Serving;
beforeAll(async () => {
  symlinkSync("/etc", join(scratch, "outside")); // leads out of the folder, and is no run
  mkdirSync(join(scratch, "no-run"), { recursive: true });
  serving = await serve({ runs: scratch, port: 0, ...quick, most: 4 });
});
afterAll(() => serving.close());

const get = (address: string, init?: RequestInit): Promise<Response> => fetch(`${serving.url}${address}`, init);
const json = async (address: string, init?: RequestInit): Promise<never> =>
  (await (await get(address, init)).json()) as never;
const send = (address: string, body: Uint8Array | string, headers: Record<string, string> = png): Promise<Response> =>
  get(address, { method: "POST", body, headers });

/** A request as no browser and no fetch would send it. @returns the status */
function raw(
  options: { readonly path: string; readonly headers?: Record<string, string>; readonly method?: string },
  url = serving.url,
) {
  const { hostname, port } = new URL(url);
  return new Promise<number>((resolve, reject) => {
    const asked = httpRequest({ hostname, port, ...options }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("error", reject);
    asked.end();
  });
}

describe("what is served of runs", () => {
  test("the list, a run's details and its metrics", async () => {
    const list: { id: string; name: string; curve: number[]; run: string }[] = await json("/api/runs");
    expect(list.map(({ id }) => id)).toEqual(["run"]);
    expect(list[0]).toMatchObject({
      name: "run",
      run: "run",
      epoch: 2,
      epochs: 2,
      state: "ended: all 2 epochs are done",
    });
    expect(list[0]?.curve).toHaveLength(2);
    const details: { classes: string[]; checkpoints: { name: string }[] } = await json("/api/runs/run");
    expect(details.classes).toEqual(["apple", "lake", "meadow"]);
    expect(details.checkpoints.map(({ name }) => name)).toContain("step-000000006");
    const { rows }: { rows: { kind: string; step: number }[] } = await json("/api/runs/run/metrics?since=4");
    expect(rows.every(({ step }) => step >= 4)).toBe(true);
    expect(rows.at(-1)).toMatchObject({ kind: "epoch", epoch: 2 });
  });

  test("what is not there, and what can't be meant, is said in words", async () => {
    const missing = await get("/api/runs/none");
    expect([missing.status, await missing.json()]).toEqual([404, { error: { message: "there is no such run here" } }]);
    const wrong = await get("/api/runs/run/metrics?points=many");
    expect(wrong.status).toBe(400);
    expect(((await wrong.json()) as { error: { message: string } }).error.message).toMatch(/^query points: /);
    const filters = await get("/api/runs/run/filters?checkpoint=..%2f..%2fetc%2fpasswd");
    expect([filters.status, await filters.text()]).toEqual([404, expect.stringContaining("no checkpoint named")]);
  });

  test("pictures, filters, a batch and an evaluation, and no path of this machine", async () => {
    for (const [address, type] of [
      ["/api/runs/run/filters?checkpoint=last", "image/png"],
      ["/api/runs/run/batch?turn=2", "image/jpeg"],
      ["/api/runs/run/pictures/val-3", "image/jpeg"],
    ] as const) {
      const answer = await get(address);
      expect([answer.status, answer.headers.get("content-type")], address).toEqual([200, type]);
      expect((await sharp(Buffer.from(await answer.arrayBuffer())).metadata()).width).toBeGreaterThan(10);
    }
    for (const address of ["/api/runs/run/filters?checkpoint=last", "/api/runs/run/pictures/val-3"]) {
      const { headers } = await get(address);
      expect(headers.get("cache-control")).toBe("private, no-cache"); // kept, and asked about
      const again = await get(address, { headers: { "if-none-match": headers.get("etag") ?? "" } });
      expect([again.status, await again.text()], address).toEqual([304, ""]);
    }
    expect((await get("/api/runs/run/pictures/val-99")).status).toBe(404);
    expect((await get("/api/runs/run/pictures/..%2f..%2fconfig.json")).status).toBe(404);
    const text = await (await get("/api/runs/run/evaluation")).text();
    expect(JSON.parse(text)).toMatchObject({ evaluation: { samples: 15, split: "val" } });
    expect(text).not.toContain(scratch);
  });

  test("marks of wrong labels are kept beside the run", async () => {
    const body = JSON.stringify({ n: "val-3", wrong: true });
    const headers = { "content-type": "application/json" };
    const marked: { marks: object[] } = await json("/api/runs/run/marks", { method: "POST", body, headers });
    expect(marked.marks).toEqual([{ n: "val-3", file: expect.stringContaining("val"), label: expect.any(String) }]);
    expect(JSON.parse(readFileSync(join(run, "wrong-labels.json"), "utf8"))).toEqual(marked);
    await send("/api/runs/run/marks", JSON.stringify({ n: "val-3", wrong: false }), headers);
    expect(await json("/api/runs/run/marks")).toEqual({ marks: [] });
    expect(
      (await send("/api/runs/run/marks", JSON.stringify({ n: "val-3", wrong: false, more: 1 }), headers)).status,
    ).toBe(400);
  });

  test("the interface describes itself: every address that there is, with what it takes", async () => {
    const { paths }: { paths: Record<string, Record<string, { summary: string; parameters: object[] }>> } =
      await json("/api/openapi.json");
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(["/api/runs/{id}/classify", "/api/paper/norm"]));
    expect(paths["/api/runs/{id}/metrics"]?.get?.parameters).toContainEqual(
      expect.objectContaining({ name: "since", in: "query" }),
    );
  });
});

describe("classifying", () => {
  test("one picture, as the open model does", async () => {
    const model = await openModel(run, quick);
    const { predictions }: { predictions: object[] } = (await (
      await send("/api/runs/run/classify?top=2&views=10", picture("lake"))
    ).json()) as never;
    expect(predictions).toEqual(await model.classify(picture("lake"), { top: 2, views: 10 }));
    await model.close();
  });

  test("several of a form, those that are no pictures with the reason", async () => {
    const form = new FormData();
    form.append("a", new Blob([picture("apple")]), "apple.png");
    form.append("b", new Blob(["hello"]), "hello.txt");
    const { pictures }: { pictures: { name: string; error?: string }[] } = await json("/api/runs/run/classify", {
      method: "POST",
      body: form,
    });
    expect(pictures.map(({ name }) => name)).toEqual(["apple.png", "hello.txt"]);
    expect(pictures[0]).toHaveProperty("predictions");
    expect(pictures[1]?.error).toMatch(/not a picture/);
  });

  test("nothing, junk, too many bytes and too many pixels are refused", async () => {
    expect((await send("/api/runs/run/classify", "")).status).toBe(400);
    expect((await send("/api/runs/run/classify", "no picture")).status).toBe(422);
    expect((await send("/api/runs/run/classify", "x", { "content-type": "text/html" })).status).toBe(415);
    expect((await send("/api/runs/run/classify", new Uint8Array(21 * 1024 * 1024))).status).toBe(413);
    const large = await sharp({ create: { width: 9000, height: 6000, channels: 3, background: "#123" } })
      .png()
      .toBuffer();
    const refused = await send("/api/runs/run/classify", large);
    expect([refused.status, await refused.text()]).toEqual([413, expect.stringContaining("9000x6000 pixels")]);
    for (const [name, make] of Object.entries(bombs)) {
      const { status } = await send("/api/runs/run/classify", await make());
      expect([413, 422], name).toContain(status);
    }
  });

  test("more at once than the server takes are told to come back, and all are answered", async () => {
    const small = await serve({ runs: scratch, port: 0, ...quick, most: 1 });
    try {
      const large = await sharp(picture("meadow")).resize(1500, 1500).png().toBuffer();
      const ask = () =>
        fetch(`${small.url}/api/runs/run/classify?views=10`, { method: "POST", body: large, headers: png });
      const all = await Promise.all(Array.from({ length: 40 }, ask));
      expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200, 429]));
      expect(all.find(({ status }) => status === 429)?.headers.get("retry-after")).toBe("1");
      expect((await ask()).status).toBe(200);
    } finally {
      await small.close();
    }
  });

  test("what the network makes of a picture: maps, what the answer depends on, neighbours", async () => {
    const maps: { layers: { layer: string; image: string }[] } = (await (
      await send("/api/runs/run/activations", picture("apple"))
    ).json()) as never;
    expect(maps.layers.map(({ layer }) => layer)).toContain("conv1");
    expect(maps.layers[0]?.image).toMatch(/^data:image\/png;base64,/);
    const occlusion: { class: string } = (await (
      await send("/api/runs/run/occlusion", picture("apple"))
    ).json()) as never;
    expect(["apple", "lake", "meadow"]).toContain(occlusion.class);
    const { neighbours }: { neighbours: { n: string; similarity: number }[] } = (await (
      await send("/api/runs/run/neighbours", picture("apple"))
    ).json()) as never;
    const similarities = neighbours.map(({ similarity }) => similarity);
    expect(similarities).toEqual([...similarities].sort((a, b) => b - a));
    expect(similarities[0]).toBeGreaterThan(0.99); // the set holds the picture itself
  });
});

describe("the paper's ideas on a picture", () => {
  interface Figure {
    readonly title: string;
    readonly image: string;
    readonly note?: string;
  }
  const noise = sharp({
    create: {
      ...{ width: 300, height: 260, channels: 3, background: "#369" },
      noise: { type: "gaussian", mean: 120, sigma: 40 },
    },
  })
    .png()
    .toBuffer();
  const figuresOf = async (demo: string, values: Record<string, string | number> = {}): Promise<readonly Figure[]> => {
    const query = new URLSearchParams(
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)])),
    );
    const answer = await send(`/api/paper/${demo}?${query}`, await noise);
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { figures: readonly Figure[] }).figures;
  };
  const pixelsOf = ({ image }: Figure) =>
    sharp(Buffer.from(image.replace(/^data:image\/png;base64,/, ""), "base64")).removeAlpha();
  const rawOf = (figure: Figure): Promise<Buffer> => pixelsOf(figure).raw().toBuffer();

  test("a crop is that part of the prepared picture, mirrored where that is asked for", async () => {
    const [whole, cropped] = (await figuresOf("crop", { left: 5, top: 20, mirrored: "true" })) as [Figure, Figure];
    const part = { left: 5, top: 20, width: 227, height: 227 };
    expect(await rawOf(cropped)).toEqual(await pixelsOf(whole).extract(part).flop().raw().toBuffer());
  });

  test("colours shift by the components' shares, and not at all by none", async () => {
    const [before, same] = (await figuresOf("colour", { a0: 0, a1: 0, a2: 0 })) as [Figure, Figure];
    expect(await rawOf(same)).toEqual(await rawOf(before));
    const [, shifted] = (await figuresOf("colour", { a0: 0.5, a1: 0, a2: 0 })) as [Figure, Figure];
    const [, back] = (await figuresOf("colour", { a0: -0.5, a1: 0, a2: 0 })) as [Figure, Figure];
    const change = (figure: Figure) => (figure.note?.match(/-?\d+\.\d/g) ?? []).map(Number);
    expect(change(shifted)).toHaveLength(3);
    expect(Math.max(...change(shifted).map(Math.abs))).toBeGreaterThan(1);
    expect(change(back).map((value) => -value + 0)).toEqual(change(shifted).map((value) => value + 0));
    expect(await rawOf(shifted)).not.toEqual(await rawOf(before));
  });

  test("response normalisation does nothing with beta 0 and k 1, and dampens with the paper's numbers", async () => {
    const [before, same] = (await figuresOf("norm", { k: 1, beta: 0 })) as [Figure, Figure];
    expect(await rawOf(same)).toEqual(await rawOf(before));
    const [, normalised] = (await figuresOf("norm", { k: 2, n: 5, alpha: -1, beta: 0.75 })) as [Figure, Figure];
    expect(await rawOf(normalised)).not.toEqual(await rawOf(before));
  });

  test("windows that overlap leave as many values as the paper's, others fewer or more", async () => {
    const titleOf = async (size: number, stride: number) =>
      (await figuresOf("pooling", { size, stride })).map(({ title, note }) => [title, note])[1];
    expect(await titleOf(3, 2)).toEqual(["pooled to 27x27", "windows overlap"]);
    expect(await titleOf(2, 2)).toEqual(["pooled to 27x27", "windows don't overlap"]);
    expect(await titleOf(3, 3)).toEqual(["pooled to 18x18", "windows don't overlap"]);
  });

  test("dropout keeps about its share of the units, others with each seed", async () => {
    const keptOf = async (rate: number, seed: number): Promise<number> => {
      const [, { note = "" }] = (await figuresOf("dropout", { rate, seed })) as [Figure, Figure];
      return Number(/^([\d.]+) %/.exec(note)?.[1]);
    };
    const [half, other, few] = [await keptOf(0.5, 1), await keptOf(0.5, 2), await keptOf(0.9, 1)];
    expect(Math.abs(half - 50)).toBeLessThan(3);
    expect(Math.abs(few - 10)).toBeLessThan(3);
    const images = await Promise.all([1, 2].map(async (seed) => (await figuresOf("dropout", { rate: 0.5, seed }))[1]));
    expect(images[0]?.image).not.toBe(images[1]?.image);
    expect(Math.abs(other - 50)).toBeLessThan(3);
  });
});

describe("who may ask", () => {
  test("no name that merely leads here: a page elsewhere can't reach the server by its own domain", async () => {
    expect(await raw({ path: "/api/runs", headers: { host: "attacker.example" } })).toBe(421);
    expect(await raw({ path: "/api/runs", headers: { host: "127.0.0.1.attacker.example:7012" } })).toBe(421);
    expect(await raw({ path: "/api/runs", headers: { host: "localhost:1" } })).toBe(200);
  });

  test("no page of another site changes anything", async () => {
    const ask = (headers: Record<string, string>) =>
      send("/api/runs/run/control", JSON.stringify({ action: "pause" }), {
        "content-type": "application/json",
        ...headers,
      });
    expect((await ask({ origin: "http://attacker.example" })).status).toBe(403);
    expect((await ask({ origin: "null" })).status).toBe(403);
    expect((await ask({ "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await ask({ origin: serving.url })).status).toBe(409); // let in; nothing trains there
    // A form of another page can only send types that this does not take.
    expect((await send("/api/runs/run/control", '{"action":"pause"}', { "content-type": "text/plain" })).status).toBe(
      415,
    );
  });

  test("every answer forbids frames, foreign scripts and guessing of types", async () => {
    for (const address of ["/", "/api/runs", "/nowhere"]) {
      const { headers } = await get(address);
      expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get("content-security-policy")).not.toMatch(/'unsafe-inline'|'unsafe-eval'|https?:/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
    }
  });

  test.each([
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%5c..%5cetc%5cpasswd",
    "/assets/../../package.json",
    "//etc/passwd",
    "/C:/Windows/win.ini",
    "/%5c%5cserver%5cshare",
    "/api/runs/..%2f..%2fetc",
    "/api/runs/outside",
    "/api/runs/no-run",
    "/api/runs/%2fetc",
    "/api/runs/run%00",
    "/api/runs/run/pictures/%2e%2e%2fval-1",
  ])("no address leads out of what is served: %s", async (address) => {
    expect([400, 404]).toContain(await raw({ path: address }));
  });

  test("where others can reach it, nobody comes in without the token", async () => {
    const open = await serve({ runs: scratch, port: 0, host: "0.0.0.0", ...quick });
    try {
      const { url } = open;
      const status = async (headers: Record<string, string>) => (await fetch(`${url}/api/runs`, { headers })).status;
      expect(open.token).toMatch(/^[\w-]{32}$/);
      expect(await status({})).toBe(401);
      expect(await status({ authorization: "Bearer wrong" })).toBe(401);
      expect(await status({ authorization: `Bearer ${open.token}x` })).toBe(401);
      const byHost = (host: string): Promise<number> =>
        raw({ path: "/api/runs", headers: { host, authorization: `Bearer ${open.token}` } }, url);
      expect(await byHost("192.168.1.5:7012")).toBe(200); // as another machine calls it
      expect(await byHost("attacker.example")).toBe(421);
      expect(await status({ authorization: `Bearer ${open.token}` })).toBe(200);
      const link = open.invitation();
      const first = await fetch(link, { redirect: "manual" });
      expect([first.status, first.headers.get("location")]).toEqual([303, "/"]);
      const cookie = first.headers.get("set-cookie") ?? "";
      expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
      expect(await status({ cookie: cookie.split(";")[0] ?? "" })).toBe(200);
      expect(await status({ cookie: "alexnet=guessed" })).toBe(401);
      expect((await fetch(link, { redirect: "manual" })).status).toBe(401); // only once
    } finally {
      await open.close();
    }
  });

  test("a port that is taken is an error that says so", async () => {
    const port = Number(new URL(serving.url).port);
    await expect(serve({ runs: scratch, port })).rejects.toMatchObject({
      code: "in-use",
      message: expect.stringMatching(/something listens there already.*take another port/),
    });
  });

  test("options that can't be meant are refused before anything listens", async () => {
    await expect(serve({ port: -1 })).rejects.toMatchObject({ code: "invalid-option" });
    await expect(serve({ token: "short" })).rejects.toMatchObject({ code: "invalid-option" });
  });

  test("a request whose body does not come is ended, and takes its place only until then", async () => {
    const small = await serve({ runs: scratch, port: 0, ...quick, most: 1, arrivalSeconds: 1, pictures: scratch });
    try {
      const { hostname, port } = new URL(small.url);
      const ask = (address: string) =>
        fetch(`${small.url}/api${address}`, { method: "POST", body: picture("lake"), headers: png });
      for (const address of ["/runs/run/classify", "/sets/slow?class=lake&name=a.png"]) {
        const slow = connect(Number(port), hostname);
        let answer = "";
        slow.on("data", (text) => {
          answer += text;
        });
        slow.write(
          `POST /api${address} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: image/png\r\ncontent-length: 100\r\n\r\nabc`,
        );
        await expect.poll(async () => (await ask(address)).status, { timeout: 900, interval: 20 }).toBe(429);
        await once(slow, "close");
        expect(answer).toMatch(/^HTTP\/1.1 408 /);
        expect((await ask(address)).status).toBe(200);
      }
    } finally {
      await small.close();
    }
  });

  test("a form that says it brings more than any may is refused before it is read", async () => {
    const status = await raw({
      method: "POST",
      path: "/api/runs/run/classify",
      headers: { "content-type": "multipart/form-data; boundary=x", "content-length": String(65 * 1024 * 1024) },
    });
    expect(status).toBe(413);
  });
});

describe("live", () => {
  test("what happens in a run is told as it happens, and what was missed is caught up", async () => {
    const live = join(scratch, "live");
    const training = train(quickTraining(path, live, { seed: 5, metricsEvery: 1 }));
    while ((await get("/api/runs/live")).status !== 200) await setTimeout(20);
    const stop = new AbortController();
    const events = await get("/api/runs/live/events", { signal: stop.signal, headers: { "last-event-id": "0" } });
    expect(events.headers.get("content-type")).toBe("text/event-stream");
    let text = "";
    const reading = (async () => {
      for await (const part of events.body ?? []) text += Buffer.from(part).toString();
    })().catch(() => {});
    await training;
    const deadline = Date.now() + 10_000;
    while (!/"kind":"epoch","row":\{"kind":"epoch","epoch":3/.test(text) && Date.now() < deadline) await setTimeout(50);
    stop.abort();
    await reading;
    const steps = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(new Set(steps).size).toBeGreaterThanOrEqual(9);
    expect(text).toContain('"kind":"changed"');
    expect(text).toMatch(/"kind":"step","epoch":\d+,"epochs":\d+,"batch":\d+/);
    expect(existsSync(join(live, "now.json"))).toBe(false); // nothing trains any more
  });

  test("rows come to all who listen, once, in order; all of them anew where a run went on from further back", async () => {
    const copied = join(scratch, "copied");
    cpSync(run, copied, { recursive: true, verbatimSymlinks: true });
    const metrics = join(copied, "metrics.jsonl");
    const before = readFileSync(metrics, "utf8");
    const last = JSON.parse(before.trim().split("\n").at(-1) ?? "") as StepRow;
    const row = (step: number): string => `${JSON.stringify({ ...last, kind: "step", step })}\n`;
    const listen = async (headers: Record<string, string> = {}) => {
      const stop = new AbortController();
      const heard: number[] = [];
      const events = await get("/api/runs/copied/events", { signal: stop.signal, headers });
      const reading = (async () => {
        let text = "";
        for await (const part of events.body ?? []) {
          text += Buffer.from(part).toString();
          heard.splice(0, heard.length, ...[...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)));
        }
      })().catch(() => {});
      const end = (): Promise<void> => {
        stop.abort();
        return reading;
      };
      return { heard, end };
    };
    const [fromNow, fromThen] = [await listen(), await listen({ "last-event-id": String(last.step) })];
    const soon = (of: () => unknown) => expect.poll(of, { timeout: 10_000 });
    await soon(() => fromThen.heard).toEqual([last.step]); // the epoch's row, which has the step of its last one
    for (const step of [1, 2, 3]) appendFileSync(metrics, row(last.step + step));
    const more = [1, 2, 3].map((step) => last.step + step);
    await soon(() => fromNow.heard).toEqual(more);
    await soon(() => fromThen.heard).toEqual([last.step, ...more]);
    appendFileSync(metrics, row(last.step + 4).slice(0, 20)); // half a line is no row yet
    writeFileSync(metrics, before);
    const all = before
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as StepRow).step);
    await soon(() => fromNow.heard).toEqual([...more, ...all]);
    await fromNow.end();
    await fromThen.end();
    rmSync(copied, { recursive: true });
  });
});

describe("beginning a run", () => {
  const jsonHeaders = { "content-type": "application/json" };
  let beginning: Serving;
  beforeAll(async () => {
    beginning = await serve({ runs: join(scratch, "begun"), pictures: scratch, port: 0, ...quick });
  });
  afterAll(() => beginning.close());
  const ask = (address: string, init?: RequestInit): Promise<Response> => fetch(`${beginning.url}/api${address}`, init);
  const answerOf = async (response: Promise<Response>): Promise<never> => (await (await response).json()) as never;
  const begin = (body: object): Promise<Response> =>
    ask("/start", { method: "POST", headers: jsonHeaders, body: JSON.stringify(body) });

  test("the form's fields are the table of settings", async () => {
    const rows: { name: string; kind: string; choices?: string[] }[] = await answerOf(ask("/settings"));
    const kinds = Object.fromEntries(rows.map(({ name, kind }) => [name, kind]));
    expect(kinds).toMatchObject({
      network: "text",
      width: "number",
      epochs: "whole",
      engine: "choice",
      allowSvg: "switch",
    });
    expect(rows.find(({ name }) => name === "network")?.choices).toContain("caffenet");
  });

  test("folders are those below the one that may be seen, links out of it left aside", async () => {
    const top: { parent: string | null; folders: { name: string }[] } = await answerOf(ask("/folders"));
    expect(top.parent).toBeNull();
    expect(top.folders.map(({ name }) => name)).not.toContain("outside");
    for (const path of ["/etc", "..", join(scratch, "outside"), `${scratch}/../..`, "\\\\server\\share", "C:\\"])
      expect((await ask(`/folders?path=${encodeURIComponent(path)}`)).status, path).toBe(404);
  });

  test("a preview finds what training would find", async () => {
    const found: { classes: { name: string; pictures: number }[]; sheet: string } = await answerOf(
      ask(`/folders/preview?path=${encodeURIComponent(path)}`),
    );
    expect(found.classes.map(({ name }) => name).sort()).toEqual(["apple", "lake", "meadow"]);
    expect(found.sheet).toMatch(/^data:image\/png/);
  });

  test("a run is begun in a process of its own; what can't be meant says why, and begins nothing", async () => {
    const settings = { width: 0.125, epochs: 1, batchSize: 8, threads: 1, engine: "onednn" };
    expect((await begin({ data: path, name: "../up", settings })).status).toBe(400);
    expect((await begin({ data: "/etc", name: "a", settings })).status).toBe(404);
    const wrong = await begin({ data: path, name: "a", settings: { ...settings, epochs: -1 } });
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining("epochs is -1")]);
    expect((await begin({ data: path, name: "a", settings: { nonsense: 1 } })).status).toBe(400);
    const estimated: { parameters: number; seconds: number } = await answerOf(
      ask("/estimate", { method: "POST", headers: jsonHeaders, body: JSON.stringify({ data: path, settings }) }),
    );
    expect(estimated.parameters).toBeGreaterThan(1000);
    expect(estimated.seconds).toBeGreaterThan(0);
    const begun = await begin({ data: path, name: "first", settings });
    expect([begun.status, await begun.json()]).toEqual([201, { id: "first" }]);
    expect((await begin({ data: path, name: "first", settings })).status).toBe(409);
    const deadline = Date.now() + 45_000;
    let state = "";
    while (!state.startsWith("ended") && Date.now() < deadline) {
      await setTimeout(100);
      const answer = await ask("/runs/first");
      if (answer.status === 200) ({ state } = (await answer.json()) as { state: string });
    }
    expect(state).toBe("ended: the only epoch is done");
  });

  test("pictures dropped on the page become a set, one folder a class, and nothing is written over", async () => {
    const drop = (set: string, label: string, name: string): Promise<Response> =>
      ask(`/sets/${encodeURIComponent(set)}?${new URLSearchParams({ class: label, name })}`, {
        method: "POST",
        headers: png,
        body: picture("lake"),
      });
    const first: { path: string } = await answerOf(drop("mine", "lakes", "a.png"));
    await drop("mine", "lakes", "a.png");
    expect(readdirSync(join(first.path, "lakes")).sort()).toEqual(["1-a.png", "a.png"]);
    expect((await drop("a:b", "lakes", "a.png")).status).toBe(400);
    const escaped: { path: string } = await answerOf(drop("mine", "../../up", "../../../b.png"));
    expect(readdirSync(join(escaped.path, "up"))).toEqual(["b.png"]);
  });
});
