import { readFileSync } from "node:fs";

export interface Program {
  readonly file: string;
  readonly source: string;
}

/** The whole programs that users are shown: blocks of TypeScript that import the package. */
function programs(): readonly Program[] {
  return ["README.md", "docs/library.md"].flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)]
      .map(([, source = ""]) => ({ file, source }))
      .filter(({ source }) => source.includes('from "alexnet"')),
  );
}

const isServer = ({ source }: Program): boolean => source.includes("createServer");

/** Those that run to their end. */
export function documentedPrograms(): readonly Program[] {
  return programs().filter((program) => !isServer(program));
}

/** The HTTP server, as TypeScript. */
export function documentedServer(): string {
  const [server] = programs().filter(isServer);
  if (server === undefined) throw new Error("no server in the documentation");
  return server.source;
}
