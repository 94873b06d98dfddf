import { execFile } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { temporaryFolder } from "./folders.js";

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What set-up may use of the system; everything else it calls must be put there by the test. */
const plainTools =
  "sh dirname readlink find head tail cut sort sed grep ln rm mkdir mv cp touch chmod sleep cat env uname true".split(
    " ",
  );

/**
 * A checkout in a temporary folder, in which set-up sees only stand-ins for what it would install with. Each stand-in
 * notes its call in calls.log and does what its script says.
 */
export class Checkout {
  readonly folder = temporaryFolder("alexnet set-up ");
  readonly tools = join(this.folder, "tools");
  readonly libraries = join(this.folder, "libraries");
  readonly #calls = join(this.folder, "calls.log");

  constructor() {
    for (const name of ["scripts", "src", "tools", "libraries"]) mkdirSync(join(this.folder, name));
    for (const name of ["alexnet", "scripts/setup"]) cpSync(name, join(this.folder, name));
    writeFileSync(join(this.folder, "src", "main.ts"), "");
    writeFileSync(join(this.folder, "package-lock.json"), "{}");
    writeFileSync(this.#calls, "");
    for (const name of plainTools) this.borrow(name);
    this.tool(
      "node",
      `case "$1" in -v) echo v22.1.0 ;; *tsc.js) sh "$1" ;; *build.js) ;; *) echo "ran from $PWD:" "$@"; exit 7 ;; esac`,
    );
    this.tool(
      "npm",
      `sleep 0.1
      mkdir -p node_modules/typescript/lib
      echo 'mkdir -p dist/cli; : >dist/cli/main.js' >node_modules/typescript/lib/tsc.js
      : >node_modules/.package-lock.json`,
    );
    this.tool("id", "echo 1000");
  }

  /** Makes a tool of this machine available. */
  borrow(name: string): void {
    const place = (process.env.PATH ?? "").split(delimiter).find((folder) => existsSync(join(folder, name)));
    if (place === undefined) throw new Error(`${name}: not on this machine`);
    symlinkSync(join(place, name), join(this.tools, name));
  }

  /** Puts a stand-in into place. */
  tool(name: string, script: string): void {
    const path = join(this.tools, name);
    writeFileSync(
      path,
      `#!/bin/sh\nif [ "$1" != -v ] && [ "$0" != "${join(this.tools, "id")}" ]; then echo "${name} $*" >>"${this.#calls}"; fi\n${script}\n`,
    );
    chmodSync(path, 0o755);
  }

  remove(name: string): void {
    rmSync(join(this.tools, name));
  }

  /** Puts a file, by default oneDNN itself, where the system keeps its libraries. */
  installOneDnn(name = "libdnnl.so.2"): void {
    writeFileSync(join(this.libraries, name), "a library");
  }

  /** What was called, in order; empties the list. */
  takeCalls(): string[] {
    const calls = readFileSync(this.#calls, "utf8").split("\n").filter(Boolean);
    writeFileSync(this.#calls, "");
    return calls;
  }

  setup(environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return this.run("/bin/sh", [join(this.folder, "scripts", "setup")], environment);
  }

  run(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return run(program, args, {
      cwd: tmpdir(),
      env: { PATH: this.tools, ALEXNET_LIBRARY_DIRS: this.libraries, ...environment },
    });
  }
}

export function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { ...options, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ status, stdout, stderr });
    });
    child.stdin?.end();
  });
}
