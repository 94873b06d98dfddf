import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Program {
  readonly file: string;
  readonly source: string;
}

/** The programs that README.md and docs/ show: blocks of TypeScript that import the package. */
export function documentedPrograms(): readonly Program[] {
  const files = ["README.md", ...readdirSync("docs").map((name) => join("docs", name))];
  return files
    .filter((file) => file.endsWith(".md") && existsSync(file))
    .flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)]
        .map(([, source = ""]) => ({ file, source }))
        .filter(({ source }) => source.includes('from "alexnet"')),
    );
}
