import { Worker } from "node:worker_threads";
import { AlexnetError } from "../../errors.js";
import type { Failure } from "../../system/threads/answer-requests.js";

/** What is asked of the thread that reads Parquet: a file's description, or a column of a row group. */
export interface ParquetRequest {
  readonly path: string;
  readonly column?: { readonly name: string; readonly group: number; readonly isText: boolean };
}

export interface ParquetDescription {
  readonly kind: "description";
  /** Of columns. */
  readonly names: readonly string[];
  /** What Hugging Face's `datasets` wrote into it, JSON. */
  readonly huggingface: string | undefined;
  /** Rows of each row group. */
  readonly groups: readonly number[];
  /** Of the largest row group, unpacked. */
  readonly groupBytes: number;
}

export interface ParquetColumn {
  readonly kind: "column";
  /** Text, numbers, bytes; of a struct with `bytes`, those. */
  readonly values: readonly unknown[];
}

export type ParquetResponse = ParquetDescription | ParquetColumn;

const READING_SECONDS = 30; // a row group of honest files takes a second or two
const HEAP_MEGABYTES = 512; // pictures lie outside of it

/** @param seconds until reading is given up */
export async function describeParquet(path: string, seconds = READING_SECONDS): Promise<ParquetDescription> {
  const response = await ask({ path }, seconds);
  if (response.kind !== "description") throw new Error("the Parquet thread answered another question");
  return response;
}

/** `isText`: bytes without a type are text, not a picture. */
export async function readColumn(
  path: string,
  name: string,
  group: number,
  isText: boolean,
): Promise<readonly unknown[]> {
  const response = await ask({ path, column: { name, group, isText } });
  if (response.kind !== "column") throw new Error("the Parquet thread answered another question");
  return response.values;
}

type Reply = { readonly response: ParquetResponse } | { readonly failure: Failure };

interface Question {
  readonly resolve: (reply: Reply) => void;
  readonly giveUp: (why: string) => void;
}

let thread: Worker | undefined;
let question: Question | undefined; // the one being answered
let last: Promise<unknown> = Promise.resolve();

/**
 * Asks a thread of its own: damaged files make the library loop, or fill the memory, and only a thread can be stopped.
 * One question at a time.
 */
function ask(request: ParquetRequest, seconds = READING_SECONDS): Promise<ParquetResponse> {
  const answer = last.then(() => askNow(request, seconds));
  last = answer.catch(() => {});
  return answer;
}

async function askNow(request: ParquetRequest, seconds: number): Promise<ParquetResponse> {
  thread ??= start();
  const worker = thread;
  worker.ref();
  let watch: NodeJS.Timeout | undefined;
  try {
    const reply = await new Promise<Reply>((resolve, reject) => {
      const giveUp = (why: string) => {
        thread = undefined;
        void worker.terminate();
        reject(new AlexnetError("unusable-data", why));
      };
      watch = setTimeout(() => giveUp(`takes more than ${seconds} s to read`), seconds * 1000);
      question = { resolve, giveUp };
      worker.postMessage({ id: 0, request });
    });
    if ("failure" in reply) throw new AlexnetError("unusable-data", reply.failure.message);
    return reply.response;
  } finally {
    clearTimeout(watch);
    question = undefined;
    worker.unref();
  }
}

function start(): Worker {
  const worker = new Worker(new URL("./parquet-thread.js", import.meta.url), {
    execArgv: [], // not --input-type and the like
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
  const ifCurrent = (use: (asked: Question) => void) => {
    if (worker === thread && question !== undefined) use(question);
  };
  worker.on("message", (reply: Reply) => ifCurrent(({ resolve }) => resolve(reply)));
  worker.on("error", (error) => ifCurrent(({ giveUp }) => giveUp(error.message)));
  worker.on("exit", () => ifCurrent(({ giveUp }) => giveUp("reading it ended the thread")));
  return worker;
}
