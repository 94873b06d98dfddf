import { readFileSync } from "node:fs";

export interface Program {
  readonly file: string;
  readonly source: string;
}

/** The whole programs that users are shown: blocks of TypeScript that import the package. */
export function documentedPrograms(): readonly Program[] {
  return ["README.md", "docs/library.md"].flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)]
      .map(([, source = ""]) => ({ file, source }))
      .filter(({ source }) => source.includes('from "alexnet"')),
  );
}
