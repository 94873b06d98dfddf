import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Outcome, run } from "../support/checkout.js";
import { temporaryFolder } from "../support/folders.js";

/** A repository with nothing in it but what a release looks at, all of it committed. */
function repository(changes = "# Changelog\n\n## 0.2.0, not yet released\n\n- New.\n") {
  const folder = temporaryFolder("alexnet release ");
  mkdirSync(join(folder, "scripts"));
  cpSync("scripts/release", join(folder, "scripts", "release"));
  writeFileSync(join(folder, "CHANGELOG.md"), changes);
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@example.org", ...args], {
      cwd: folder,
      encoding: "utf8",
    });
  git("init", "--quiet");
  git("add", "--all");
  git("commit", "--quiet", "--message", "All");
  const release = (...args: readonly string[]): Promise<Outcome> =>
    run(join(folder, "scripts", "release"), args, { cwd: "/", env: process.env });
  return { folder, git, release };
}

test("a release is refused, saying why, before anything is made", async () => {
  const { folder, git, release } = repository();
  const told = async (...args: readonly string[]): Promise<string> => {
    const { status, stderr } = await release(...args);
    expect(status).toBe(1);
    return stderr;
  };
  expect(await told()).toBe("release: give the version, such as 0.2.0\n");
  expect(await told("two")).toBe("release: two: no version; give one such as 0.2.0\n");
  git("tag", "v0.1.0");
  expect(await told("0.1.0")).toContain("v0.1.0 is a tag already");
  writeFileSync(join(folder, "new.txt"), "");
  expect(await told("0.2.0")).toContain("not all is committed here");
  expect(await told("--smoke", "nowhere.tgz")).toContain("nowhere.tgz: no such file");
  expect(git("tag", "--list").trim()).toBe("v0.1.0");
  expect(git("log", "--oneline").trim().split("\n")).toHaveLength(1);
});

test("a release without news is refused", async () => {
  const { stderr } = await repository("# Changelog\n\n## 0.1.0, 2026-01-01\n").release("0.2.0");
  expect(stderr).toContain('CHANGELOG.md has no section "not yet released"');
});
