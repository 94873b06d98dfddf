import { randomBytes, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { HttpProblem } from "./problems.js";

/**
 * Who may ask, and what browsers may do with the answers. The server reads the folders of the one who started it, so other
 * people's pages must not reach it: not by a name that leads here (the Host header), not by a form or script of another
 * page (Origin), not in a frame.
 */
export interface Door {
  /** As it was given or found: where only loopback listens, nobody needs a token. */
  readonly token?: string;
  /** Names in the Host header that are this server's, without ports. */
  readonly hosts: ReadonlySet<string>;
}

const COOKIE = "alexnet";
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** @param named names that lead here besides */
export function doorOf(host: string, token: string | undefined, named: readonly string[]): Door {
  const own = isIP(host) === 6 ? `[${host}]` : host;
  return {
    hosts: new Set([...LOOPBACK, own, ...named].map((name) => name.toLowerCase())),
    ...((token !== undefined || !isLoopback(host)) && { token: token ?? newToken() }),
  };
}

function newToken(): string {
  return randomBytes(24).toString("base64url");
}

/** Sessions of browsers that were let in: by a link that can be used once. */
export class Sessions {
  readonly #once = new Set<string>();
  readonly #sessions = new Set<string>();

  /** A part of an address that lets one browser in. */
  invite(): string {
    const once = newToken();
    this.#once.add(once);
    return once;
  }

  /** @returns the session that an invitation is exchanged for, once */
  enter(once: string): string | undefined {
    const invited = [...this.#once].find((known) => isEqual(known, once));
    if (invited === undefined) return undefined;
    this.#once.delete(invited);
    const session = newToken();
    this.#sessions.add(session);
    return session;
  }

  has(session: string): boolean {
    return [...this.#sessions].some((known) => isEqual(known, session));
  }
}

/** Has every request checked before anything else is done, and every answer marked. */
export function guard(app: FastifyInstance, { token, hosts }: Door, sessions: Sessions): void {
  app.addHook("onRequest", async (request, reply) => {
    setHeaders(reply);
    const host = (request.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
    // Other people's pages reach a server by a name of theirs; an address is nobody's, and the token is asked for besides.
    const isAddress = token !== undefined && isIP(host.replace(/^\[|\]$/g, "")) !== 0;
    if (!hosts.has(host) && !isAddress)
      throw new HttpProblem(
        421,
        `This server does not answer for ${host || "no name"}; whoever starts it can allow that name.`,
      );
    if (!["GET", "HEAD"].includes(request.method)) refuseForeignPages(request);
    if (token !== undefined && !isLetIn(request, token, sessions) && !(await entered(request, reply, sessions)))
      throw new HttpProblem(
        401,
        "This server wants its token: as `Authorization: Bearer <token>`, or by the link that it printed.",
      );
  });
}

function isLetIn({ headers }: FastifyRequest, token: string, sessions: Sessions): boolean {
  const [scheme, given = ""] = (headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() === "bearer" && isEqual(given, token)) return true;
  const cookies = (headers.cookie ?? "").split(/;\s*/).map((pair) => pair.split("="));
  return cookies.some(([name, value = ""]) => name === COOKIE && sessions.has(value));
}

/** Exchanges an invitation in the address for a cookie, and sends the browser to the address without it. */
async function entered(request: FastifyRequest, reply: FastifyReply, sessions: Sessions): Promise<boolean> {
  const { searchParams } = new URL(request.url, "http://localhost");
  const session = sessions.enter(searchParams.get("once") ?? "");
  if (session === undefined) return false;
  reply.header("set-cookie", `${COOKIE}=${session}; Path=/; HttpOnly; SameSite=Strict`);
  await reply.redirect("/", 303);
  return true;
}

/** What changes something may come from this server's own pages, and from programs, which name no page. */
function refuseForeignPages({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none")
    throw new HttpProblem(403, "This server takes nothing from other sites' pages.");
  if (origin !== undefined && URL.parse?.(origin)?.host !== host && hostOf(origin) !== host)
    throw new HttpProblem(403, "This server takes nothing from other sites' pages.");
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined; // "null", of a frame without an origin
  }
}

/** In a time that does not depend on where they differ. */
function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self' blob:",
  "worker-src 'self' blob:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function setHeaders(reply: FastifyReply): void {
  reply.headers({
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    // With these a page may use threads in WebAssembly.
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  });
}
