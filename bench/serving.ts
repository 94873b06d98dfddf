import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { sharp } from "#src/images/sharp.js";
import { quantile } from "#src/scoring/quantiles.js";
import { markdownTable } from "./markdown.js";
import { project } from "./project.js";

const help = `bench/run serving <run> [--seconds 10] [--connections 1,16,64] [--soak 1000] [--burst 1000] [-- options of serve]

What alexnet serve takes: one JPEG a request, classified by the run's network, from so many connections at once, each asking
again when it has its answer; then that many requests more from 16 connections with the server's memory on the way; then that
many at once, most of which are told to come back; and all the while clients that send half a request and wait.`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "10" },
    connections: { type: "string", default: "1,16,64" },
    soak: { type: "string", default: "1000" },
    burst: { type: "string", default: "1000" },
    help: { type: "boolean", default: false },
  },
});
const [run, ...served] = positionals;
if (options.help || run === undefined) {
  console.log(help);
  process.exit(options.help ? 0 : 2);
}
const BAD_CLIENTS = 20;

const noise = { type: "gaussian", mean: 128, sigma: 50 } as const;
const picture = await sharp({ create: { width: 500, height: 375, channels: 3, noise, background: "#888" } })
  .jpeg({ quality: 85 })
  .toBuffer();

const main = join(project, "dist", "cli", "main.js");
const server = spawn(process.execPath, [main, "serve", run, "--port", "0", ...served], {
  stdio: ["ignore", "pipe", "inherit"],
});
const url = await new Promise<URL>((resolve, reject) => {
  const lines = createInterface(server.stdout);
  lines.on("line", (line) => line.startsWith("open http") && resolve(new URL(line.slice("open ".length))));
  lines.on("close", () => reject(new Error("the server ended")));
});

interface Answer {
  readonly status: number;
  readonly milliseconds: number;
}

function ask(path: string, agent: Agent): Promise<Answer> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "image/jpeg", "content-length": picture.length };
    const asked = request(new URL(path, url), { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, milliseconds: performance.now() - began }));
    });
    asked.on("error", reject);
    asked.end(picture);
  });
}

/** So many clients, each of which asks again as long as it may. */
async function load(path: string, connections: number, goesOn: () => boolean): Promise<readonly Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const answers: Answer[] = [];
  const client = async (): Promise<void> => {
    while (goesOn()) answers.push(await ask(path, agent));
  };
  await Promise.all(Array.from({ length: connections }, client));
  agent.destroy();
  return answers;
}

function memoryOfServer(): string {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8")) ?? [];
  return `${(Number(kilobytes) / 1e3).toFixed(0)} MB`;
}

const count = (answers: readonly Answer[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;
const time = (answers: readonly Answer[], share: number): string =>
  `${quantile(
    answers.map(({ milliseconds }) => milliseconds),
    share,
  ).toFixed(0)} ms`;

/** Says what it will send and doesn't. */
function badClient(path: string): Socket {
  const socket = connect(Number(url.port), url.hostname);
  socket.on("error", () => {}); // the server may end it
  const lines = [`POST ${path} HTTP/1.1`, `host: ${url.host}`, "content-type: image/jpeg", "content-length: 100000"];
  socket.write(`${lines.join("\r\n")}\r\n\r\nabc`);
  return socket;
}

try {
  const runs = (await (await fetch(new URL("/api/runs", url))).json()) as readonly { readonly id: string }[];
  const path = `/api/runs/${runs[0]?.id}/classify`;
  const warm = await load(path, 1, times(1));
  if (count(warm, 200) === 0) throw new Error(`the server answers ${warm[0]?.status}`);
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} cores; load before: ${readFileSync("/proc/loadavg", "utf8").slice(0, 4)}`,
  );

  const rows: (readonly (string | number)[])[] = [];
  for (const connections of options.connections.split(",").map(Number)) {
    const bad = Array.from({ length: connections < 64 ? BAD_CLIENTS : 0 }, () => badClient(path));
    const end = performance.now() + 1000 * Number(options.seconds);
    const began = performance.now();
    const answers = await load(path, connections, () => performance.now() < end);
    const seconds = (performance.now() - began) / 1000;
    const good = answers.filter(({ status }) => status === 200);
    const rate = (good.length / seconds).toFixed(1);
    rows.push([connections, rate, time(good, 0.5), time(good, 0.99), answers.length - good.length, memoryOfServer()]);
    for (const socket of bad) socket.destroy();
    await setTimeout(200);
  }
  console.log(markdownTable(["connections", "images/s", "p50", "p99", "refused", "server's memory"], rows, 0));

  const soak = Number(options.soak);
  const memory: string[] = [];
  for (let part = 0; part < 10; part++) {
    const answers = await load(path, 16, times(Math.ceil(soak / 10)));
    if (count(answers, 200) < answers.length) throw new Error("not all requests of the soak were answered");
    memory.push(memoryOfServer());
  }
  console.log(`memory after each tenth of ${soak} requests: ${memory.join(", ")}`);

  const burst = Number(options.burst);
  const answers = await load(path, burst, times(burst));
  const [good, refused] = [count(answers, 200), count(answers, 429)];
  const others = answers.length - good - refused;
  console.log(
    `${burst} at once: ${good} answered, ${refused} told to come back, ${others} otherwise; ${memoryOfServer()}`,
  );
} finally {
  server.kill("SIGINT");
  await once(server, "exit");
}

/** As often as that. */
function times(most: number): () => boolean {
  let left = most;
  return () => left-- > 0;
}
