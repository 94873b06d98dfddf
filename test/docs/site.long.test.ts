import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findChromium, findViolations, NO_CHROMIUM, PATIENCE } from "../support/browser.js";
import { run } from "../support/checkout.js";
import { temporaryFolder } from "../support/folders.js";
import { serveFolder } from "../support/static-server.js";

const out = join(temporaryFolder(), "site");
const executablePath = findChromium();
let unreachable: string | undefined;

async function npm(...args: readonly string[]) {
  return run("npm", args, { cwd: "site", env: process.env });
}

beforeAll(async () => {
  if (!existsSync("site/node_modules/vitepress")) {
    const { status, stderr } = await npm("ci", "--prefer-offline", "--no-audit", "--no-fund");
    if (status !== 0) unreachable = `VitePress can't be installed: ${stderr.trim().split("\n").at(-1)}`;
  }
}, 600_000);
beforeEach((context) => {
  if (unreachable !== undefined) context.skip(unreachable);
});

describe("the documentation's site", () => {
  it("is built of every page; a dead link would have ended that", { timeout: 600_000 }, async () => {
    const { status, stdout, stderr } = await npm("run", "build", "--", out);
    expect(status, stdout + stderr).toBe(0);
    const pages = readdirSync("docs").filter((name) => name.endsWith(".md"));
    const built = pages.filter((name) => existsSync(join(out, "docs", name.replace(/\.md$/, ".html"))));
    expect(built).toEqual(pages);
    expect(existsSync(join(out, "src/recipes/policy.ts.html"))).toBe(true);
    expect(existsSync("site/.pages")).toBe(false);
  });

  describe("in a browser", () => {
    let browser: Browser;
    let served: Awaited<ReturnType<typeof serveFolder>>;
    beforeAll(async () => {
      if (executablePath === undefined || unreachable !== undefined) return;
      browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
      served = await serveFolder(out);
    });
    beforeEach((context) => {
      if (executablePath === undefined) context.skip(NO_CHROMIUM);
    });
    afterAll(async () => {
      await browser?.close();
      await served?.close();
    });

    const shown = [
      "",
      "docs/",
      "docs/tutorial.html",
      "docs/performance.html",
      "docs/paper.html",
      "docs/commands.html",
      "src/recipes/policy.ts.html",
    ];
    for (const colorScheme of ["light", "dark"] as const)
      for (const path of shown)
        it(`/${path} is readable by everybody and asks no other server, ${colorScheme}`, async () => {
          const page = await browser.newPage({ colorScheme });
          page.setDefaultTimeout(PATIENCE);
          const problems: string[] = [];
          page.on("pageerror", (error) => problems.push(error.message));
          page.on("request", (request) => {
            if (!request.url().startsWith(served.url) && !/^(data|blob):/.test(request.url()))
              problems.push(`asks for ${request.url()}`);
          });
          await page.goto(served.url + path, { waitUntil: "networkidle" });
          expect(await findViolations(page)).toEqual([]);
          expect(problems).toEqual([]);
          await page.close();
        });
  });
});
