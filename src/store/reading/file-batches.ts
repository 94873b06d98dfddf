import { availableParallelism } from "node:os";
import { AlexnetError } from "../../errors.js";
import { describeFault } from "../../images/picture.js";
import { pictureBytes } from "../../network/picture.js";

import { Pool } from "../../system/threads/pool.js";
import { type DecodeInput, type DecodeOutcome, decodeFiles } from "./decode-files.js";
import type { DecodeCalls } from "./decode-worker.js";

/** A picture that is decoded once it is its turn: a path, an image file's bytes, or a function that brings them. */
export type PictureInput = string | Uint8Array | (() => Promise<Uint8Array>);

export interface FileBatchOptions {
  /** Files a batch. */
  readonly size: number;
  /** Height and width of the pictures to be made. */
  readonly pictureSize: number;
  /** Threads that decode, which must not take cores from the computing: default a quarter of the machine's. */
  readonly workers?: number;
  readonly signal: AbortSignal;
}

export interface FileBatch {
  /** (files, pictureSize, pictureSize, 3); what is there for an input that can't be read says nothing. */
  readonly pictures: Uint8Array;
  readonly inputs: readonly PictureInput[];
  /** Index of the first among all. */
  readonly first: number;
  /** One for each input. */
  readonly outcomes: readonly DecodeOutcome[];
  /** Places of the inputs that could be read. */
  readonly readable: readonly number[];
  /** Gives the pictures' memory back for a later batch; they must not be looked at afterwards. */
  release(): void;
}

/**
 * Pictures as networks see them, in the order given, decoded ahead on worker threads.
 * @throws AlexnetError "interrupted" once the signal is given.
 */
export async function* fileBatches(
  inputs: readonly PictureInput[],
  options: FileBatchOptions,
): AsyncGenerator<FileBatch> {
  const { size, pictureSize, signal, workers = Math.ceil(availableParallelism() / 4) } = options;
  const count = Math.ceil(inputs.length / size);
  const decoder = openDecoder(Math.min(workers, count - 1), pictureSize); // a single batch is decoded sooner than a thread starts
  const bytes = pictureBytes(pictureSize);
  const free: SharedArrayBuffer[] = [];
  const load = async (first: number): Promise<FileBatch> => {
    const part = inputs.slice(first, first + size);
    const slot = free.pop() ?? new SharedArrayBuffer(size * bytes);
    const outcomes = await decoder.decode(part, slot);
    return {
      pictures: new Uint8Array(slot, 0, part.length * bytes),
      inputs: part,
      first,
      outcomes,
      readable: outcomes.flatMap((outcome, i) => (outcome === null ? [i] : [])),
      release: () => void free.push(slot),
    };
  };
  const ahead: Promise<FileBatch>[] = [];
  try {
    for (let next = 0; ; ) {
      for (; next < count && ahead.length <= workers; next++) {
        const loading = load(next * size);
        loading.catch(() => {}); // counts when it is waited for
        ahead.push(loading);
      }
      const first = ahead.shift();
      if (first === undefined) return;
      const batch = await first;
      if (signal.aborted) throw new AlexnetError("interrupted", "loading pictures: stopped", { cause: signal.reason });
      yield batch;
    }
  } finally {
    await decoder.close();
  }
}

interface Decoder {
  decode(inputs: readonly PictureInput[], slot: SharedArrayBuffer): Promise<readonly DecodeOutcome[]>;
  close(): Promise<void>;
}

function openDecoder(workers: number, size: number): Decoder {
  if (workers < 1)
    return {
      decode: async (inputs, slot) => decodeFiles(await Promise.all(inputs.map(settled)), size, slot),
      close: async () => {},
    };
  const script = new URL("./decode-worker.js", import.meta.url);
  const pool = new Pool<undefined, DecodeCalls>(script, workers, undefined, "a thread that decodes pictures");
  return {
    decode: async (inputs, slot) => {
      const files = await Promise.all(inputs.map(settled));
      return pool.run((thread) => thread.decode(files, size, slot));
    },
    close: () => pool.close(),
  };
}

/** What crosses to a thread. An input that can't be brought is no picture. */
async function settled(input: PictureInput): Promise<DecodeInput> {
  if (typeof input !== "function") return input;
  try {
    return await input();
  } catch (error) {
    return { fault: describeFault(error) };
  }
}
