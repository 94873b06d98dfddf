import { sep } from "node:path";
import { AlexnetError, type ErrorCode } from "../errors.js";

/** An answer that says what is wrong: the caller's doing, or a limit. */
export class HttpProblem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

const statuses: Partial<Record<ErrorCode, number>> = {
  "invalid-option": 400,
  "not-found": 404,
  "unreadable-picture": 422,
  "classes-differ": 422,
  "unusable-data": 422,
  unsupported: 409,
  "in-use": 409,
  closed: 503,
  memory: 503,
};

/**
 * The status and the words of an answer for what was thrown; what nobody foresaw says nothing about this machine.
 * @param root a folder whose path is nobody's business
 */
export function problemOf(error: unknown, root = ""): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof AlexnetError) return new HttpProblem(statuses[error.code] ?? 500, within(error.problem, root));
  const status: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "statusCode") : undefined;
  if (typeof status === "number" && status >= 400 && status < 500)
    return new HttpProblem(status, error instanceof Error ? error.message : "The request makes no sense.");
  return new HttpProblem(500, "Something went wrong; the server's terminal says what.");
}

/** A text with paths below `root` as seen from there. */
function within(text: string, root: string): string {
  return root === "" ? text : text.replaceAll(`${root}${sep}`, "").replaceAll(root, ".");
}
