import { parentPort, type TransferListItem } from "node:worker_threads";
import { AlexnetError, type ErrorCode } from "../errors.js";

/** What goes wrong on a thread, in a form that crosses to another: errors themselves lose their code. */
export interface Failure {
  readonly message: string;
  readonly code: ErrorCode | undefined;
}

/** The other end of a `WorkerPool`: answers its requests in order, one at a time. */
export function answerRequests<Request, Response>(
  answer: (request: Request) => Response | Promise<Response>,
  transfer: (response: Response) => readonly TransferListItem[] = () => [],
): void {
  let last: Promise<void> = Promise.resolve();
  parentPort?.on("message", ({ id, request }: { id: number; request: Request }) => {
    last = last.then(async () => {
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
