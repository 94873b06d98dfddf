import { AlexnetError } from "../../errors.js";
import { type Remote, Thread } from "../../system/threads/call.js";
import { Turns } from "../../system/threads/turns.js";
import type { ParquetCalls, ParquetDescription } from "./parquet-thread.js";

const READING_SECONDS = 30; // a row group of honest files takes a second or two
const HEAP_MEGABYTES = 512; // pictures lie outside of it

/**
 * Reads Parquet files on a thread of its own: damaged ones make the library loop, or fill the memory, and only a thread
 * can be stopped. The next question then starts another. One question at a time.
 */
export class ParquetReader {
  readonly #turns = new Turns();
  #thread: Thread<undefined, ParquetCalls> | undefined;

  /**
   * @param seconds until reading is given up
   * @throws AlexnetError "unusable-data" for files that can't be read
   */
  describe(path: string, seconds = READING_SECONDS): Promise<ParquetDescription> {
    return this.#ask((thread) => thread.describe(path), seconds);
  }

  /**
   * A column of a row group: text, numbers, bytes; of a struct with `bytes`, those.
   * @param isText whether bytes without a type are text, not a picture
   * @throws AlexnetError "unusable-data" for files that can't be read
   */
  readColumn(path: string, name: string, group: number, isText: boolean): Promise<readonly unknown[]> {
    return this.#ask((thread) => thread.readColumn(path, name, group, isText), READING_SECONDS);
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }

  #ask<T>(question: (thread: Remote<ParquetCalls>) => Promise<T>, seconds: number): Promise<T> {
    return this.#turns.take(async () => {
      const thread = this.#thread?.isOpen ? this.#thread : start();
      this.#thread = thread;
      const tooLong = new AlexnetError("unusable-data", `takes more than ${seconds} s to read`);
      const watch = setTimeout(() => void thread.terminate(tooLong), seconds * 1000); // the library is plain JavaScript
      try {
        return await question(await thread.ready);
      } catch (error) {
        if (error instanceof AlexnetError && error.code === "unusable-data") throw error;
        throw new AlexnetError("unusable-data", error instanceof Error ? error.message : String(error), {
          cause: error,
        });
      } finally {
        clearTimeout(watch);
      }
    });
  }
}

function start(): Thread<undefined, ParquetCalls> {
  return new Thread(new URL("./parquet-thread.js", import.meta.url), undefined, {
    name: "the thread that reads it",
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
}
