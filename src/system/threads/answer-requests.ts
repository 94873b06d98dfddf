import { parentPort, type TransferListItem } from "node:worker_threads";
import { AlexnetError, type ErrorCode } from "../../errors.js";

/** What goes wrong on a thread, in a form that crosses to another: errors themselves lose their code. */
export interface Failure {
  readonly message: string;
  readonly code: ErrorCode | undefined;
}

/** Asks a thread to end after the request that it is at, if any. */
export const END = "end";

/**
 * The other end of a `WorkerPool`: answers its requests in order, one at a time. The thread ends itself: one that is ended
 * from outside, inside of a native call that fails just then, takes the whole process with it.
 */
export function answerRequests<Request, Response>(
  answer: (request: Request) => Response | Promise<Response>,
  transfer: (response: Response) => readonly TransferListItem[] = () => [],
): void {
  let last: Promise<void> = Promise.resolve();
  let ending = false;
  parentPort?.on("message", (message: { id: number; request: Request } | typeof END) => {
    if (message === END) {
      ending = true;
      last.then(() => process.exit());
      return;
    }
    const { id, request } = message;
    last = last.then(async () => {
      if (ending) return;
      try {
        const response = await answer(request);
        parentPort?.postMessage({ id, response }, transfer(response));
      } catch (error) {
        parentPort?.postMessage({ id, failure: describe(error) });
      }
    });
  });
}

function describe(error: unknown): Failure {
  return {
    message: error instanceof Error ? error.message : String(error),
    code: error instanceof AlexnetError ? error.code : undefined,
  };
}
