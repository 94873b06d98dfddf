import type { AddressInfo } from "node:net";
import { homedir, networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import multipart from "@fastify/multipart";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { z } from "zod";
import { precisionChoices } from "../engine/engine.js";
import { engineNames } from "../engine/host/engines.js";
import { openEngine } from "../engine/host/open.js";
import { AlexnetError } from "../errors.js";
import { parseOptions, wholeNumber } from "../options.js";
import { errnoOf } from "../system/files.js";
import { Assets } from "./assets.js";
import { Crowd, type Place } from "./crowd.js";
import { Explorer } from "./explore.js";
import { DroppedSets, Folders } from "./folders.js";
import { Live } from "./live.js";
import { type ModelOptions, Models } from "./models.js";
import { openApi } from "./openapi.js";
import { HttpProblem, problemOf } from "./problems.js";
import { type Route, routes, type Services } from "./routes.js";
import { Runs } from "./runs.js";
import { type Door, doorOf, guard, Sessions } from "./safety.js";
import { PICTURE_BYTES, PICTURES_A_REQUEST, REQUEST_BYTES } from "./uploads.js";

export interface ServeOptions extends ModelOptions {
  /** A folder of runs, or one run's. Default "runs". */
  readonly runs?: string;
  /** Default 127.0.0.1: only this machine. Elsewhere every request needs the token. */
  readonly host?: string;
  /** Default 7012; 0 for any that is free. */
  readonly port?: number;
  /** Demanded of every request. Default: none on 127.0.0.1, elsewhere a new one. */
  readonly token?: string;
  /** Names by which browsers may call this server, besides its address. */
  readonly allowHosts?: readonly string[];
  /** Requests that compute, at once; more are told to come back. Default 64. */
  readonly most?: number;
  /** Seconds that a request may take to arrive. Default 30. */
  readonly arrivalSeconds?: number;
  /** Where a new run's pictures may be: below this folder. Default the home folder. */
  readonly pictures?: string;
  /** Told of what went wrong that nobody foresaw. */
  readonly onError?: (error: unknown) => void;
}

/** A server that listens. */
export interface Serving {
  /** "http://127.0.0.1:7012" */
  readonly url: string;
  /** Lets one browser in where a token is demanded; the same as `url` elsewhere. Each time another. */
  invitation(): string;
  readonly token?: string;
  /** Takes no more requests, ends those under way and what they use. */
  close(): Promise<void>;
}

export const DEFAULT_PORT = 7012;
/** Of all requests' bodies together. */
const MOST_BYTES = 8 * REQUEST_BYTES;
/** Where sets of pictures that are dropped on the page come to lie, below the folder of pictures. */
const DROPPED = "alexnet-pictures";
const CHECK = 1000; // milliseconds between looks for requests that take too long to arrive

const optionsSchema = z.object({
  runs: z.string().optional(),
  pictures: z.string().optional(),
  host: z.string().optional(),
  port: wholeNumber(0).optional(),
  token: z.string().min(8).optional(),
  allowHosts: z.array(z.string()).readonly().optional(),
  most: wholeNumber(1).optional(),
  arrivalSeconds: z.number().positive().optional(),
  onError: z.function().optional(),
  engine: z.enum(["auto", ...engineNames]).optional(),
  threads: wholeNumber(1).optional(),
  precision: z.enum(precisionChoices).optional(),
});

/**
 * Serves the pages and the HTTP interface (docs/api.md) for the runs in a folder.
 * @throws AlexnetError "in-use" when something else has the port, "invalid-option"
 *
 * @example
 * const { url, close } = await serve({ runs: "runs", port: 0 });
 */
export async function serve(options: ServeOptions = {}): Promise<Serving> {
  parseOptions(optionsSchema, options, "serve");
  const {
    host = "127.0.0.1",
    port = DEFAULT_PORT,
    most = 64,
    arrivalSeconds = 30,
    onError = () => {},
    engine,
    threads,
    precision,
  } = options;
  const door = doorOf(host, options.token, options.allowHosts ?? []);
  const end = new AbortController();
  const models = new Models({ engine, threads, precision });
  const explorer = new Explorer();
  const live = new Live();
  const runs = new Runs(options.runs ?? "runs");
  let opened: ReturnType<typeof openEngine> | undefined;
  const services: Services = {
    ...{ runs, live, models, explorer },
    folders: new Folders(options.pictures ?? homedir()),
    sets: new DroppedSets(join(options.pictures ?? homedir(), DROPPED)),
    engine() {
      opened ??= openEngine(engine ?? "auto", { threads, precision });
      return opened;
    },
    signal: end.signal,
  };
  const sessions = new Sessions();
  const app = await application(services, {
    door,
    sessions,
    onError,
    arrivalSeconds,
    crowd: new Crowd(most, MOST_BYTES),
  });
  const close = async (): Promise<void> => {
    end.abort("the server ends");
    live.close();
    await app.close();
    await Promise.all([models.close(), explorer.close(), opened?.then((open) => open.close()).catch(() => {})]);
  };
  try {
    await app.listen({ host, port });
  } catch (error) {
    await close();
    throw explainListening(error, host, port);
  }
  const { address, port: taken } = app.server.address() as AddressInfo;
  const reached = reachedAt(address);
  const url = `http://${reached.includes(":") ? `[${reached}]` : reached}:${taken}`;
  return {
    url,
    ...(door.token !== undefined && { token: door.token }),
    invitation: () => (door.token === undefined ? url : `${url}/?once=${sessions.invite()}`),
    close,
  };
}

/** An address that others reach a server at which listens at all of its machine's: "0.0.0.0" leads nowhere. */
function reachedAt(address: string): string {
  if (address !== "0.0.0.0" && address !== "::") return address;
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((own) => own?.family === "IPv4" && !own.internal);
  return outside?.address ?? "127.0.0.1";
}

interface House {
  readonly door: Door;
  readonly sessions: Sessions;
  readonly crowd: Crowd;
  readonly arrivalSeconds: number;
  readonly onError: (error: unknown) => void;
}

async function application(
  services: Services,
  { door, sessions, crowd, arrivalSeconds, onError }: House,
): Promise<FastifyInstance> {
  const arrival = 1000 * arrivalSeconds;
  const app = fastify({
    bodyLimit: PICTURE_BYTES,
    requestTimeout: arrival,
    http: { headersTimeout: arrival, connectionsCheckingInterval: Math.min(CHECK, arrival) },
    connectionTimeout: 0, // live events stay
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
  });
  guard(app, door, sessions);
  await app.register(multipart, {
    limits: { fileSize: PICTURE_BYTES, files: PICTURES_A_REQUEST, fields: 0, parts: PICTURES_A_REQUEST },
  });
  app.removeContentTypeParser("text/plain"); // what a form of another site's page can send
  app.addContentTypeParser(/^(image\/|application\/octet-stream)/, { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  app.setErrorHandler(async (error, _request, reply) => {
    const problem = problemOf(error, services.runs.root);
    if (problem.status >= 500 && !(error instanceof AlexnetError)) onError(error);
    return reply
      .code(problem.status)
      .headers(problem.headers)
      .send({ error: { message: problem.message } });
  });
  const all = routes(services);
  for (const route of all) add(app, route, crowd);
  app.get("/api/openapi.json", async () => openApi(all));
  const assets = new Assets();
  app.setNotFoundHandler(async (request, reply) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const asset = request.method === "GET" || request.method === "HEAD" ? assets.get(pathname) : undefined;
    if (asset === undefined) throw new HttpProblem(404, "There is nothing at this address.");
    if (asset.lasts) reply.header("cache-control", "public, max-age=31536000, immutable");
    return reply.type(asset.type).send(asset.bytes);
  });
  return app;
}

function add(app: FastifyInstance, { method, path, query, body, works, handle }: Route, crowd: Crowd): void {
  const places = new WeakMap<FastifyRequest, Place>();
  app.route({
    method,
    url: `/api${path}`,
    ...((works || body === "pictures") && {
      // Before any of its body is read.
      onRequest: async (request, reply) => {
        const place = crowd.enter(announcedBytes(request));
        reply.raw.once("close", place.leave);
        places.set(request, place);
      },
    }),
    handler: async (request, reply) => {
      const { id = "", name = "" } = request.params as { id?: string; name?: string };
      const parsed = {
        query: query === undefined ? {} : valid(query, request.query, "query"),
        body: body === undefined || body === "pictures" ? undefined : valid(body, request.body, "body"),
      };
      const work = async () => handle({ id, name, request, reply, ...(parsed as { query: never; body: never }) });
      const answer = await (places.get(request)?.during(work) ?? work());
      return reply.sent || answer === reply ? reply : answer;
    },
  });
}

/** What a request may bring at the most. @throws HttpProblem 413 when it says that it brings more than any may */
function announcedBytes({ method, headers }: FastifyRequest): number {
  if (method === "GET") return 0;
  const bytes = Number(headers["content-length"] ?? REQUEST_BYTES);
  if (bytes > REQUEST_BYTES)
    throw new HttpProblem(413, `A request may bring ${REQUEST_BYTES / 1024 / 1024} MB; send fewer pictures at once.`);
  return bytes;
}

/** @throws HttpProblem 400 naming the field */
function valid<S extends z.ZodObject>(schema: S, value: FastifyRequest["query"], what: string): z.output<S> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new HttpProblem(
    400,
    `${what}${issue?.path.length ? ` ${issue.path.join(".")}` : ""}: ${issue?.message ?? "makes no sense"}`,
  );
}

function explainListening(error: unknown, host: string, port: number): unknown {
  const code = errnoOf(error);
  if (code === "EADDRINUSE")
    return new AlexnetError(
      "in-use",
      `${host}:${port}: something listens there already, perhaps another alexnet serve`,
      {
        cause: error,
        hint: { advice: "take another port", option: "port", value: port + 1 },
      },
    );
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return new AlexnetError("invalid-option", `host ${host}: this machine has no such address`, { cause: error });
  if (code === "EACCES")
    return new AlexnetError("invalid-option", `port ${port}: may not be used without more rights; take one from 1024`, {
      cause: error,
    });
  return error;
}

/** As the command prints it. */
export function describeRoot(runs: string | undefined): string {
  return resolve(runs ?? "runs");
}
