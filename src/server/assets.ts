import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  /** Its name has its contents' hash: it can be kept for ever. */
  readonly lasts: boolean;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

/**
 * The pages' files, as src/web/build.js made them, by their addresses. Which there are is found once, so that no
 * address can lead to any other file; what they hold is read when it is first asked for.
 */
export class Assets {
  readonly #paths = new Map<string, string>();
  readonly #read = new Map<string, Asset>();

  constructor(folder = fileURLToPath(new URL("../web/", import.meta.url))) {
    for (const path of filesBelow(folder)) this.#paths.set(`/${relative(folder, path).split(sep).join("/")}`, path);
    const index = this.#paths.get("/index.html");
    if (index !== undefined) this.#paths.set("/", index);
  }

  get(address: string): Asset | undefined {
    const path = this.#paths.get(address);
    if (path === undefined) return undefined;
    let asset = this.#read.get(address);
    if (asset === undefined) {
      const type = types[extname(path)] ?? "application/octet-stream";
      asset = { type, bytes: readFileSync(path), lasts: address.startsWith("/assets/") };
      this.#read.set(address, asset);
    }
    return asset;
  }
}

function filesBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  } catch {
    return []; // not built
  }
}
