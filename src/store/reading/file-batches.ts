import { availableParallelism } from "node:os";
import { AlexnetError } from "../../errors.js";
import { pictureBytes } from "../../network/picture.js";

import { WorkerPool } from "../../system/threads/worker-pool.js";
import { type DecodeOutcome, decodeFiles } from "./decode-files.js";
import type { DecodeRequest } from "./decode-worker.js";

export interface FileBatchOptions {
  /** Files a batch. */
  readonly size: number;
  /** Height and width of the pictures to be made. */
  readonly pictureSize: number;
  /** Threads that decode, which must not take cores from the computing: default a quarter of the machine's. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
}

export interface FileBatch {
  /** (files, pictureSize, pictureSize, 3); what is there for a file that can't be read says nothing. */
  readonly pictures: Uint8Array;
  readonly files: readonly string[];
  /** One for each file. */
  readonly outcomes: readonly DecodeOutcome[];
  /** Places of the files that could be read. */
  readonly readable: readonly number[];
  /** Gives the pictures' memory back for a later batch; they must not be looked at afterwards. */
  release(): void;
}

/**
 * Picture files as networks see them, in the order given, decoded ahead on worker threads.
 * @throws AlexnetError "interrupted" once the signal is given.
 */
export async function* fileBatches(files: readonly string[], options: FileBatchOptions): AsyncGenerator<FileBatch> {
  const { size, pictureSize, signal, workers = Math.ceil(availableParallelism() / 4) } = options;
  const count = Math.ceil(files.length / size);
  const decoder = openDecoder(Math.min(workers, count - 1), pictureSize); // a single batch is decoded sooner than a thread starts
  const bytes = pictureBytes(pictureSize);
  const free: SharedArrayBuffer[] = [];
  const load = async (part: readonly string[]): Promise<FileBatch> => {
    const slot = free.pop() ?? new SharedArrayBuffer(size * bytes);
    const outcomes = await decoder.decode(part, slot);
    return {
      pictures: new Uint8Array(slot, 0, part.length * bytes),
      files: part,
      outcomes,
      readable: outcomes.flatMap((outcome, i) => (outcome === null ? [i] : [])),
      release: () => void free.push(slot),
    };
  };
  const ahead: Promise<FileBatch>[] = [];
  try {
    for (let next = 0; ; ) {
      for (; next < count && ahead.length <= workers; next++) {
        const loading = load(files.slice(next * size, (next + 1) * size));
        loading.catch(() => {}); // counts when it is waited for
        ahead.push(loading);
      }
      const first = ahead.shift();
      if (first === undefined) return;
      const batch = await first;
      if (signal?.aborted) throw new AlexnetError("interrupted", "loading pictures: stopped", { cause: signal.reason });
      yield batch;
    }
  } finally {
    await decoder.close();
  }
}

interface Decoder {
  decode(files: readonly string[], slot: SharedArrayBuffer): Promise<readonly DecodeOutcome[]>;
  close(): Promise<void>;
}

function openDecoder(workers: number, size: number): Decoder {
  if (workers < 1) return { decode: (files, slot) => decodeFiles(files, size, slot), close: async () => {} };
  const script = new URL("./decode-worker.js", import.meta.url);
  const pool = new WorkerPool<DecodeRequest, readonly DecodeOutcome[]>(script, workers, undefined);
  return { decode: (files, slot) => pool.run({ files, size, slot }), close: () => pool.close() };
}
