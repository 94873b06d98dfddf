import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transform } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openModel, type Prediction } from "#src/index.js";
import { bombs } from "./support/bombs.js";
import { documentedServer } from "./support/documented.js";
import { quick, trainedSet } from "./support/trained-runs.js";

const { run, path, scratch } = trainedSet();
const picture = (name: string): Buffer => readFileSync(join(path, "val", name, "0.png"));

describe("the documentation's server", () => {
  let server: ChildProcess;
  let port: number;
  let said = "";

  beforeAll(async () => {
    const { code } = await transform(documentedServer(), { loader: "ts", format: "esm" });
    const file = join(scratch, "server.mjs");
    writeFileSync(file, code.replace('"alexnet"', JSON.stringify(pathToFileURL("dist/index.js").href)));
    server = spawn(process.execPath, [file, run, "0"], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [server.stdout, server.stderr])
      stream?.on("data", (text) => {
        said += text;
      });
    while (!said.includes("port:")) await Promise.race([once(server.stdout ?? server, "data"), once(server, "exit")]);
    port = Number(/port: (\d+)/.exec(said)?.[1]);
  });
  afterAll(() => server.kill("SIGKILL"));

  async function post(body: string | Uint8Array, target = "/classify"): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`http://127.0.0.1:${port}${target}`, { method: "POST", body });
    expect(response.headers.get("content-type")).toBe("application/json");
    return { status: response.status, body: await response.json() };
  }

  it("answers a picture with classes and probabilities, as the library does, many at a time", async () => {
    const model = await openModel(run, quick);
    const uploads = ["apple", "lake", "meadow", "apple", "lake", "meadow", "apple", "lake"].map(picture);
    const answers = await Promise.all(uploads.map((bytes) => post(bytes)));
    for (const [i, { status, body }] of answers.entries()) {
      expect(status).toBe(200);
      const expected: readonly Prediction[] = await model.classify(uploads[i] ?? "");
      expect(body).toEqual(expected.map((row) => ({ ...row, probability: expect.closeTo(row.probability, 5) })));
    }
    await model.close();
  });

  it("answers what is no picture, too long or asked otherwise with what is wrong", async () => {
    expect(await post("no picture")).toEqual({ status: 415, body: { error: "picture: not a picture: text" } });
    expect((await post("")).status).toBe(415);
    expect((await post(picture("apple").subarray(0, 90))).status).toBe(415);
    for (const bomb of [bombs.JPEG, bombs.PNG]) expect((await post((await bomb?.()) ?? "")).status).toBe(415);
    expect((await post(Buffer.alloc(20e6 + 1))).status).toBe(413);
    expect((await post(picture("apple"), "/train")).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/classify`)).status).toBe(405);
  });

  it("outlives an upload that is broken off", async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write("POST /classify HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nabc");
    socket.destroy();
    await once(socket, "close");
    expect((await post(picture("lake"))).status).toBe(200);
  });

  it("ends when it is told to, with the model closed", async () => {
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(said.split("\n").filter((line) => /error|warning/i.test(line))).toEqual([]);
  });
});
