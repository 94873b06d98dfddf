import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { drawFilters } from "../drawing/filters.js";
import type { Engine } from "../engine/engine.js";
import { encodeDescription } from "../model/description.js";
import { parameterTable, parameterView } from "../network/parameters.js";
import { readModel } from "../runs/checkpoint/read.js";
import { askRun } from "../runs/control.js";
import {
  type Classified,
  type ClassifiedPictures,
  checkpointQuery,
  classifyQuery,
  controlBody,
  dropQuery,
  estimateBody,
  folderQuery,
  markBody,
  metricsQuery,
  type PaperDemo,
  paperQueries,
  previewQuery,
  startBody,
  turnQuery,
} from "./api-types.js";
import type { Explorer } from "./explore.js";
import type { DroppedSets, Folders } from "./folders.js";
import type { Live } from "./live.js";
import { readMarks, setMark } from "./marks.js";
import type { Models } from "./models.js";
import { onnxOf } from "./onnx-file.js";
import { paperDemos } from "./paper.js";
import { HttpProblem, problemOf } from "./problems.js";
import type { Runs } from "./runs.js";
import { estimateRun, settingRows, startRun } from "./start.js";
import { PICTURES_A_REQUEST, pictureOf, picturesOf, refuseBomb, type Upload } from "./uploads.js";

/** What the routes work with. */
export interface Services {
  readonly runs: Runs;
  readonly live: Live;
  readonly models: Models;
  readonly explorer: Explorer;
  readonly engine: () => Promise<Engine>;
  /** Those that a new run's pictures may be in. */
  readonly folders: Folders;
  readonly sets: DroppedSets;
  /** Given when the server ends. */
  readonly signal: AbortSignal;
}

/** One address of the interface: what the page, scripts and /api/openapi.json know of it. */
export interface Route {
  readonly method: "GET" | "POST";
  /** After /api, parameters as ":id". */
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject | "pictures";
  /** Whether it takes a place among those who work; what takes pictures does anyway. */
  readonly works?: true;
  /** Of the answer. */
  readonly type: string;
  readonly handle: (call: Call) => unknown;
}

export interface Call {
  readonly id: string;
  /** The last part of the address, where it names something. */
  readonly name: string;
  readonly query: never;
  readonly body: never;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

const JSON_TYPE = "application/json";

/** Lets a browser keep the answer and ask whether it is still good. @returns whether the one it has is */
function isKnown({ headers }: FastifyRequest, reply: FastifyReply, key: string): boolean {
  const tag = `"${createHash("sha256").update(key).digest("base64url").slice(0, 22)}"`;
  reply.headers({ "cache-control": "private, no-cache", etag: tag });
  return headers["if-none-match"] === tag;
}

/** A row of the table, whose handler gets what its own schemas let through. */
function route<Q extends z.ZodObject, B extends z.ZodObject>(
  row: Omit<Route, "query" | "body" | "handle"> & {
    readonly query?: Q;
    readonly body?: B | "pictures";
    readonly handle: (call: Omit<Call, "query" | "body"> & { query: z.output<Q>; body: z.output<B> }) => unknown;
  },
): Route {
  return row as unknown as Route; // the table calls each with what its schemas made
}

export function routes(services: Services): readonly Route[] {
  const { runs, live, models, explorer, engine, folders, sets, signal } = services;
  const file = (id: string, name = "best"): string => runs.checkpoint(id, name);
  /** Changes with the file. */
  const keyOf = (path: string): string => `${path} ${statSync(path).mtimeMs}`;
  const storeOf = (id: string): string => runs.folder(id).readConfig().data.store;
  const demos = paperDemos(engine);

  /** An image with its type. */
  const send = (reply: FastifyReply, type: string, bytes: Uint8Array) => reply.type(type).send(bytes);
  const onePicture = async (request: FastifyRequest): Promise<Upload> => {
    const upload = await pictureOf(request);
    await refuseBomb(upload);
    return upload;
  };
  /** With one picture of the request, by the run's best checkpoint. */
  const withPicture = <T>(
    { id, request }: Pick<Call, "id" | "request">,
    work: (picture: Uint8Array, path: string) => Promise<T>,
  ): Promise<T> => onePicture(request).then(({ bytes }) => work(bytes, file(id)));

  return [
    route({
      method: "GET",
      path: "/runs",
      summary: "All runs, those that changed last first.",
      type: JSON_TYPE,
      handle: () => runs.list(),
    }),
    route({
      method: "GET",
      path: "/runs/:id",
      summary: "A run: its settings, classes, checkpoints and warnings.",
      type: JSON_TYPE,
      handle: ({ id }) => runs.details(id),
    }),
    route({
      method: "GET",
      path: "/runs/:id/metrics",
      summary: "Rows of a run's metrics from a step on: losses, shares of right answers, rates.",
      query: metricsQuery,
      type: JSON_TYPE,
      handle: ({ id, query }) => ({ rows: runs.metrics(id, query) }),
    }),
    route({
      method: "GET",
      path: "/runs/:id/events",
      summary: "What happens in a run from now on, or after Last-Event-ID, as server-sent events.",
      type: "text/event-stream",
      handle: ({ id, request, reply }) => live.follow(runs.folder(id), request, reply),
    }),
    route({
      method: "POST",
      path: "/runs/:id/control",
      summary:
        "Asks a run that trains to pause, go on, save, stop, or lower its learning rate by ten. Its log says so.",
      body: controlBody,
      type: JSON_TYPE,
      handle({ id, body, reply }) {
        askRun(runs.folder(id).path, body.action);
        return reply.code(202).send({ asked: body.action });
      },
    }),
    route({
      method: "GET",
      path: "/runs/:id/filters",
      summary: "The first layer's filters of a checkpoint.",
      query: checkpointQuery,
      type: "image/png",
      async handle({ id, query, request, reply }) {
        const path = file(id, query.checkpoint);
        if (isKnown(request, reply, keyOf(path))) return reply.code(304).send();
        const { network, parameters } = readModel(path);
        const [first] = parameterTable(network);
        if (first?.shape.length !== 4) throw new HttpProblem(404, "The first layer of this network has no filters.");
        return send(reply, "image/png", (await drawFilters(first.shape, parameterView(parameters, first))).png);
      },
    }),
    route({
      method: "GET",
      path: "/runs/:id/batch",
      summary: "Some training pictures as the network sees them: cropped, mirrored, their colours shifted.",
      query: turnQuery,
      type: "image/jpeg",
      async handle({ id, query, reply }) {
        const { network, seed } = runs.folder(id).readConfig();
        const sheet = await explorer.batch(storeOf(id), network.input.size, seed + query.turn);
        return send(reply, "image/jpeg", sheet);
      },
    }),
    route({
      method: "POST",
      path: "/runs/:id/classify",
      summary: `Classifies pictures: the body is one image file, or a form with up to ${PICTURES_A_REQUEST}.`,
      query: classifyQuery,
      body: "pictures",
      type: JSON_TYPE,
      async handle({ id, query, request }) {
        const uploads = await picturesOf(request);
        const path = file(id);
        const classify = async (upload: Upload): Promise<Classified> => {
          await refuseBomb(upload);
          return {
            predictions: await models.use(path, (model) => model.classify(upload.bytes, { ...query, signal })),
          };
        };
        const [first] = uploads;
        if (first !== undefined && !request.isMultipart()) return classify(first);
        const pictures = await Promise.all(
          uploads.map((upload) =>
            classify(upload).then(
              (classified) => ({ name: upload.name, ...classified }),
              (error: unknown) => ({ name: upload.name, error: problemOf(error).message }),
            ),
          ),
        );
        return { pictures } satisfies ClassifiedPictures;
      },
    }),
    route({
      method: "GET",
      path: "/runs/:id/evaluation",
      summary: "How a run does on its validation pictures: scores, confusion matrix with pictures, mistakes.",
      type: JSON_TYPE,
      works: true,
      handle: ({ id }) => explorer.evaluation(keyOf(file(id)), file(id), storeOf(id), signal),
    }),
    route({
      method: "GET",
      path: "/runs/:id/pictures/:name",
      summary: "A picture that the run learned from or is validated on, by its id (val-17).",
      type: "image/jpeg",
      async handle({ id, name, request, reply }) {
        const path = storeOf(id);
        const { info } = await explorer.store(path);
        if (isKnown(request, reply, `${info.contentHash} ${name}`)) return reply.code(304).send();
        return send(reply, "image/jpeg", await explorer.picture(path, name));
      },
    }),
    route({
      method: "POST",
      path: "/runs/:id/activations",
      summary: "Every layer's feature maps for a picture, drawn.",
      body: "pictures",
      type: JSON_TYPE,
      handle: (call) =>
        withPicture(call, (picture, path) => models.use(path, (model) => explorer.activations(model, picture, signal))),
    }),
    route({
      method: "POST",
      path: "/runs/:id/occlusion",
      summary: "Which parts of a picture the answer depends on.",
      body: "pictures",
      type: JSON_TYPE,
      handle: (call) =>
        withPicture(call, (picture, path) => models.use(path, (model) => explorer.occlusion(model, picture, signal))),
    }),
    route({
      method: "POST",
      path: "/runs/:id/neighbours",
      summary: "The pictures of the run's set that look most like one to its last hidden layer.",
      body: "pictures",
      type: JSON_TYPE,
      handle: (call) =>
        withPicture(call, async (picture, path) => ({
          neighbours: await models.use(path, (model) =>
            explorer.neighbours(model, keyOf(path), storeOf(call.id), picture),
          ),
        })),
    }),
    route({
      method: "GET",
      path: "/runs/:id/marks",
      summary: "Pictures that somebody marked as wrongly labelled.",
      type: JSON_TYPE,
      handle: ({ id }) => ({ marks: readMarks(runs.folder(id)) }),
    }),
    route({
      method: "POST",
      path: "/runs/:id/marks",
      summary: "Marks a picture as wrongly labelled, or takes the mark back; kept in the run's wrong-labels.json.",
      body: markBody,
      type: JSON_TYPE,
      handle: async ({ id, body }) => ({
        marks: setMark(runs.folder(id), await explorer.store(storeOf(id)), body.n, body.wrong),
      }),
    }),
    route({
      method: "GET",
      path: "/runs/:id/model.onnx",
      summary: "The run's best checkpoint as ONNX, for prediction in the browser.",
      type: "application/octet-stream",
      works: true,
      handle: async ({ id, reply }) => send(reply, "application/octet-stream", await onnxOf(readModel(file(id)))),
    }),
    route({
      method: "GET",
      path: "/runs/:id/model.json",
      summary: "What the ONNX file leaves out: classes and preprocessing.",
      type: JSON_TYPE,
      handle: ({ id, reply }) => reply.type(JSON_TYPE).send(encodeDescription(readModel(file(id)))),
    }),
    route({
      method: "GET",
      path: "/settings",
      summary: "A new run's settings, as a form asks for them.",
      type: JSON_TYPE,
      handle: () => settingRows(),
    }),
    route({
      method: "GET",
      path: "/folders",
      summary: "The folders in a folder of this machine, below the one that may be seen.",
      query: folderQuery,
      type: JSON_TYPE,
      handle: ({ query }) => folders.list(query.path),
    }),
    route({
      method: "GET",
      path: "/folders/preview",
      summary: "What training would find in a folder: classes, counts, some pictures.",
      query: previewQuery,
      type: JSON_TYPE,
      works: true,
      handle: ({ query }) => folders.preview(query.path, signal),
    }),
    route({
      method: "POST",
      path: "/estimate",
      summary: "The memory and, about, the time that a run would take on this machine.",
      body: estimateBody,
      type: JSON_TYPE,
      works: true,
      async handle({ body }) {
        const { classes, pictures } = await folders.preview(body.data, signal);
        return estimateRun(await engine(), body.settings, { classes: classes.length, pictures });
      },
    }),
    route({
      method: "POST",
      path: "/start",
      summary: "Begins a run in a process of its own, which lives on when the server ends.",
      body: startBody,
      type: JSON_TYPE,
      handle: async ({ body, reply }) => {
        const id = await startRun(runs.root, folders.inside(body.data), body.name, body.settings);
        return reply.code(201).send({ id });
      },
    }),
    route({
      method: "POST",
      path: "/sets/:name",
      summary: "Puts a picture into a class of a set of pictures that is made here.",
      query: dropQuery,
      body: "pictures",
      type: JSON_TYPE,
      handle: async ({ name, query, request }) => {
        const { bytes } = await onePicture(request);
        return { path: sets.add(name, query.class, query.name, bytes) };
      },
    }),
    ...(Object.keys(paperQueries) as PaperDemo[]).map((demo) =>
      route({
        method: "POST",
        path: `/paper/${demo}`,
        summary: `The paper's ideas, tried on a picture: ${demo}.`,
        query: paperQueries[demo],
        body: "pictures",
        type: JSON_TYPE,
        handle: async ({ query, request }) => {
          const { bytes } = await onePicture(request);
          return { figures: await demos[demo](bytes, query as never) };
        },
      }),
    ),
  ];
}
