import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { run } from "../support/checkout.js";

const git = (...args: readonly string[]): string => execFileSync("git", args, { encoding: "utf8" });

test("what is committed here makes a package that trains, classifies and loads; the checkout stays as it is", async (ctx) => {
  const before = git("status", "--porcelain") + git("tag", "--list") + git("rev-parse", "HEAD");
  const { npm_config_local_prefix: _, ...environment } = process.env;
  const { status, stderr } = await run("scripts/release", ["--try", "99.0.0"], {
    cwd: process.cwd(),
    env: environment,
  });
  ctx.skip(
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(stderr),
    `npm's registry can't be reached: ${stderr}`,
  );
  expect(status, stderr).toBe(0);
  expect(stderr).toContain("release: 99.0.0 trains, classifies, and loads as a library");
  expect(git("status", "--porcelain") + git("tag", "--list") + git("rev-parse", "HEAD")).toBe(before);
}, 600_000);
