import { cpSync, existsSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { expect, it } from "vitest";
import { Checkout, run } from "../support/checkout.js";

const whichEngine = `
import { readFileSync } from "node:fs";
import { openEngine } from "./dist/engine/host/open.js";
const engine = await openEngine("onednn");
const mapped = readFileSync("/proc/self/maps", "utf8").split("\\n").map((line) => line.slice(line.indexOf("/")));
await engine.close();
console.log(JSON.stringify({ library: engine.description.library, file: mapped.find((file) => file.includes("libdnnl")) }));
`;

it("the engine runs with the real oneDNN package unpacked below the project", async (ctx) => {
  ctx.skip(!existsSync("/usr/bin/apt-get"), "needs apt");
  const checkout = new Checkout();
  checkout.tool("sudo", "exit 1");
  // All of the system, except for the stand-ins: nobody's rights, no sudo, npm that makes nothing.
  const path = `${checkout.tools}${delimiter}${process.env.PATH}`;
  const { status, stderr } = await checkout.setup({ PATH: path });
  ctx.skip(
    /Failed to fetch|Temporary failure|Could not resolve/.test(stderr),
    `the packages can't be reached:\n${stderr}`,
  );
  expect(stderr).toContain("unpacking oneDNN's package below this project, into .native/");
  expect(status).toBe(0);

  cpSync("dist", join(checkout.folder, "dist"), { recursive: true });
  cpSync("package.json", join(checkout.folder, "package.json"));
  rmSync(join(checkout.folder, "node_modules"), { recursive: true });
  symlinkSync(resolve("node_modules"), join(checkout.folder, "node_modules"));
  writeFileSync(join(checkout.folder, "which-engine.mjs"), whichEngine);
  const outcome = await run(process.execPath, ["which-engine.mjs"], { cwd: checkout.folder, env: process.env });
  expect(outcome.stderr).toBe("");
  const { library, file } = JSON.parse(outcome.stdout);
  expect(library).toMatch(/^oneDNN [23]\./);
  expect(file).toContain(join(checkout.folder, ".native", "usr", "lib"));
});
