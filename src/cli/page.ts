import { spawn } from "node:child_process";
import { once } from "node:events";
import { basename, dirname, resolve } from "node:path";
import { AlexnetError } from "../errors.js";
import type { Serving } from "../server/serve.js";

/** The page of one run, served by the process that trains it. */
export class RunPage {
  readonly #print: (line: string) => void;
  readonly #signal: AbortSignal;
  #serving: Promise<Serving | undefined> | undefined;
  #isStaying = false;

  /** @param print takes the lines that say where it is */
  constructor(print: (line: string) => void, signal: AbortSignal) {
    this.#print = print;
    this.#signal = signal;
  }

  /** Opens it, once there is a run. Training goes on where it can't be served. */
  open(run: string): void {
    this.#serving ??= this.#open(run);
  }

  /** On a terminal the page stays after the end of training, until Ctrl-C. */
  async stay(): Promise<void> {
    if ((await this.#serving) === undefined || !process.stdin.isTTY || this.#signal.aborted) return;
    this.#isStaying = true;
    this.#print("the page stays until Ctrl-C");
    await once(this.#signal, "abort");
  }

  /** Whether training has ended and the page is all that is left. */
  get isStaying(): boolean {
    return this.#isStaying;
  }

  async close(): Promise<void> {
    await (await this.#serving)?.close();
  }

  async #open(run: string): Promise<Serving | undefined> {
    try {
      const path = resolve(run);
      const { idOf } = await import("../server/runs.js");
      const serving = await serveAnywhere(dirname(path));
      const link = `${serving.url}/#/run/${idOf(basename(path))}`;
      this.#print(`page ${link}`);
      openInBrowser(link);
      return serving;
    } catch (error) {
      if (!(error instanceof AlexnetError)) throw error;
      this.#print(`no page: ${error.message}`);
      return undefined;
    }
  }
}

/** At the usual port, or any where another server has that one. */
async function serveAnywhere(runs: string): Promise<Serving> {
  const { serve } = await import("../server/serve.js"); // what trains without a page need not load it
  try {
    return await serve({ runs });
  } catch (error) {
    if (error instanceof AlexnetError && error.code === "in-use") return serve({ runs, port: 0 });
    throw error;
  }
}

/** With the system's own way; where there is none, the address is what it takes. */
export function openInBrowser(url: string): void {
  const [command, args] =
    {
      darwin: ["open", [url]] as const,
      win32: ["cmd", ["/c", "start", "", url]] as const,
    }[process.platform as string] ?? (["xdg-open", [url]] as const);
  const sayFailure = (): void => console.error(`no browser could be opened here; open ${url}`);
  const child = spawn(command, args, { stdio: "ignore", detached: true });
  child.on("error", sayFailure);
  child.on("exit", (code) => code !== 0 && sayFailure());
  child.unref();
}
