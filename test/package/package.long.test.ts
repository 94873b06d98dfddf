import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { drawPictures } from "#src/demo/pictures.js";
import { type Outcome, run } from "../support/checkout.js";
import { documentedPrograms, documentedServer } from "../support/documented.js";
import { temporaryFolder } from "../support/folders.js";

const scratch = temporaryFolder();

const { npm_config_local_prefix: _, ...environment } = process.env;

function inFolder(folder: string, program: string, ...args: readonly string[]): Promise<Outcome> {
  return run(program, args, {
    cwd: folder,
    env: { ...environment, npm_config_update_notifier: "false", ALEXNET_CACHE: join(scratch, "cache") },
  });
}

/** A copy of what a checkout holds, so that packing, which builds anew, disturbs nobody. */
function copyCheckout(to: string): void {
  const list = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { encoding: "utf8" });
  for (const path of list.split("\0").filter((path) => /^(src|docs)\/|^scripts\/setup$|^[^/]+$/.test(path))) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(path, join(to, path));
  }
  symlinkSync(resolve("node_modules"), join(to, "node_modules"));
}

describe("the packed package", () => {
  const user = join(scratch, "user");
  let files: readonly string[];
  let unreachable: string | undefined;

  beforeAll(async () => {
    const checkout = join(scratch, "checkout");
    mkdirSync(checkout);
    mkdirSync(user);
    copyCheckout(checkout);
    const packed = await inFolder(checkout, "npm", "pack", "--silent", "--pack-destination", scratch);
    expect(packed.status, packed.stdout + packed.stderr).toBe(0);
    const file = readdirSync(scratch).find((name) => name.endsWith(".tgz"));
    if (file === undefined) throw new Error(`npm pack made no file: ${packed.stdout}`);
    files = execFileSync("tar", ["tzf", join(scratch, file)], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((path) => path.replace(/^package\//, ""));

    writeFileSync(join(user, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const installed = await inFolder(
      user,
      "npm",
      "install",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      join(scratch, file),
    );
    if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(installed.stderr)) unreachable = installed.stderr;
    else expect(installed.status, installed.stderr).toBe(0);
  }, 600_000);

  it("holds the build, the documentation and the license, and nothing else", () => {
    const unexpected = files.filter(
      (path) =>
        !/^(dist\/[\w/-]+\.(js|d\.ts)|dist\/formats\/imagenet-classes\.json|dist\/web\/[\w./-]+|src\/engine\/cuda\/kernels\/[\w-]+\.cuh?|docs\/.+|scripts\/setup|LICENSE|[A-Z]+\.md|package\.json)$/.test(
          path,
        ),
    );
    expect(unexpected).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(["dist/cli/main.js", "dist/index.js", "dist/index.d.ts", "LICENSE"]));
  });

  it("leaves the checkout built, as set-up sees it", () => {
    expect(existsSync(join(scratch, "checkout", "dist", ".built"))).toBe(true);
  });

  it("runs as npx alexnet in an empty folder", async (ctx) => {
    ctx.skip(unreachable !== undefined, `the npm registry can't be reached: ${unreachable}`);
    const { status, stdout, stderr } = await inFolder(user, "npx", "--no-install", "alexnet", "networks");
    expect(
      stderr
        .split("\n")
        .filter((line) => !line.startsWith("npm "))
        .join(""),
    ).toBe("");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^paper .* 60,965,224 /m);
  });

  /** Checks the types of a program, those of the package among them, as a user without @types/node would. */
  async function compile(name: string, source: string, ...more: readonly string[]): Promise<void> {
    writeFileSync(join(user, name), source);
    const compiler = resolve("node_modules/typescript/lib/tsc.js");
    const options = "--strict --skipLibCheck false --target es2022 --module nodenext".split(" ");
    const types = more.length > 0 ? more : ["--types", ""];
    const checked = await inFolder(user, process.execPath, compiler, ...options, ...types, name);
    expect(checked.stdout + checked.stderr).toBe("");
  }

  /** Compiles a program and runs it. */
  async function runProgram(source: string): Promise<Outcome> {
    await compile("program.ts", source);
    return inFolder(user, process.execPath, "program.js");
  }

  it("is a library with types", async (ctx) => {
    ctx.skip(unreachable !== undefined, `the npm registry can't be reached: ${unreachable}`);
    const { stdout, stderr } = await runProgram(`import { AlexnetError, openEngine, train } from "alexnet";
const engine = await openEngine("auto");
const name: string = engine.description.engine;
await engine.close();
const failure = await train({ data: "no-such-folder", epochs: 1 }).catch((error: unknown) => error);
console.log(name, failure instanceof AlexnetError && failure.code);
// @ts-expect-error: options are checked
export const misuse = () => train({ data: 1 });
`);
    expect(stderr).toBe("");
    expect(stdout).toBe("onednn not-found\n");
  });

  it("has types that a program with @types/node compiles with too: the documentation's server", async (ctx) => {
    ctx.skip(unreachable !== undefined, `the npm registry can't be reached: ${unreachable}`);
    await compile("server.ts", documentedServer(), "--types", "node", "--typeRoots", resolve("node_modules/@types"));
  });

  it("is taken in by CommonJS: by import() on any version of Node.js, by require() on those that can", async (ctx) => {
    ctx.skip(unreachable !== undefined, `the npm registry can't be reached: ${unreachable}`);
    const print = `console.log(typeof library.openModel, library.imagenetClasses.length);`;
    const dynamic = `import("alexnet").then((library) => { ${print} });`;
    await compile("dynamic.cts", dynamic);
    expect(await inFolder(user, process.execPath, "dynamic.cjs")).toMatchObject({
      stdout: "function 1000\n",
      stderr: "",
    });
    writeFileSync(join(user, "required.cjs"), `const library = require("alexnet"); ${print}`);
    const required = await inFolder(user, process.execPath, "required.cjs");
    const { require_module: canRequire } = process.features as { readonly require_module?: boolean };
    if (canRequire) expect(required).toMatchObject({ stdout: "function 1000\n", stderr: "" });
    else expect(required.stderr).toContain("ERR_REQUIRE_ESM");
  });

  it("stays outside of a bundle that is made with --packages=external, and is found from it", async (ctx) => {
    ctx.skip(unreachable !== undefined, `the npm registry can't be reached: ${unreachable}`);
    const source = `import { AlexnetError, openEngine, openModel } from "alexnet";
const engine = await openEngine("reference");
await engine.close();
const failure = await openModel("no-such-run").catch((error: unknown) => error);
console.log(engine.description.engine, failure instanceof AlexnetError && failure.code);
`;
    writeFileSync(join(user, "bundled.ts"), source);
    await build({
      absWorkingDir: user,
      entryPoints: ["bundled.ts"],
      outfile: "bundle/out.mjs",
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
    });
    const { stdout, stderr } = await inFolder(user, process.execPath, "bundle/out.mjs");
    expect(stderr).toBe("");
    expect(stdout).toBe("reference not-found\n");
  });

  it("runs every program that the documentation shows", async (ctx) => {
    ctx.skip(unreachable !== undefined, `the npm registry can't be reached: ${unreachable}`);
    await drawPictures(join(user, "photos"), { seed: 1, train: 3, val: 1 });
    const programs = documentedPrograms();
    expect(new Set(programs.map(({ file }) => file)).size).toBe(2);
    for (const { file, source } of programs) {
      rmSync(join(user, "runs"), { recursive: true, force: true });
      const { status, stdout, stderr } = await runProgram(source);
      expect(stderr, file).toBe("");
      expect(status, file).toBe(0);
      expect(stdout, file).toContain("photos/val/umbrella/0001.jpg");
    }
  }, 600_000);
});
