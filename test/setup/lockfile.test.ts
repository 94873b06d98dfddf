import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface Entry {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

it.each(["package-lock.json", "site/package-lock.json"])(
  "%s names the binaries of all platforms, which npm ci insists on",
  (file) => {
    const { packages } = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, Entry> };
    const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`${place}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
      ),
    );
    expect(missing, "run: node scripts/complete-lockfile.js").toEqual([]);
  },
);
