import { useCallback, useEffect, useState } from "preact/hooks";

/** What the server answers where something is wrong. */
export class ServerError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const UNREACHABLE = "The server can't be reached.";

/** @throws ServerError with the server's own words, or that it can't be reached. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ServerError(UNREACHABLE, 0);
  }
  if (response.ok) return response;
  const answer: unknown = await response.json().catch(() => undefined);
  throw new ServerError(messageOf(answer) ?? `The server answers ${response.status}.`, response.status);
}

function messageOf(answer: unknown): string | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  const error: unknown = Reflect.get(answer, "error");
  for (const place of [error, answer]) {
    const message: unknown = typeof place === "object" && place !== null ? Reflect.get(place, "message") : place;
    if (typeof message === "string") return message;
  }
  return undefined;
}

export async function getJson<T>(path: string, init?: RequestInit): Promise<T> {
  return (await ask(path, init)).json() as Promise<T>;
}

export async function post<T>(path: string, body: unknown, init: RequestInit = {}): Promise<T> {
  const headers = { "content-type": "application/json" };
  return getJson(path, { ...init, method: "POST", headers, body: JSON.stringify(body) });
}

export function api(...parts: readonly string[]): string {
  return `api/${parts.map(encodeURIComponent).join("/")}`;
}

export interface Got<T> {
  readonly data: T | undefined;
  readonly problem: string | undefined;
  reload(): void;
}

/** What a path answers; what was there stays until something else comes. @param path undefined to ask nothing */
export function useGet<T>(path: string | undefined): Got<T> {
  const [state, setState] = useState<{ readonly path?: string; readonly data?: T; readonly problem?: string }>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    getJson<T>(path, { signal: stop.signal }).then(
      (data) => setState({ path, data }),
      (error: Error) => {
        if (!stop.signal.aborted)
          setState((last) => ({ path, data: last.path === path ? last.data : undefined, problem: error.message }));
      },
    );
    return () => stop.abort();
  }, [path, turn]);
  const reload = useCallback(() => setTurn((last) => last + 1), []);
  const isOurs = state.path === path;
  return { data: isOurs ? state.data : undefined, problem: isOurs ? state.problem : undefined, reload };
}
