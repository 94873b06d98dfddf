import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Page {
  /** From the project's root: "docs/serve.md". */
  readonly path: string;
  readonly text: string;
}

/** All that is written for people: README, CHANGELOG, CONTRIBUTING and everything in docs/. */
export function documentation(): readonly Page[] {
  const inDocs = readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name));
  return ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", ...inDocs].map((path) => ({
    path,
    text: readFileSync(path, "utf8"),
  }));
}

const fence = /^```(\w*)\n(.*?)^```$/gms;

/** Blocks of code, by language. */
export function blocks(text: string): readonly { readonly language: string; readonly code: string }[] {
  return [...text.matchAll(fence)].map(([, language = "", code = ""]) => ({ language, code }));
}

/** The text without its blocks of code. */
export const withoutBlocks = (text: string): string => text.replaceAll(fence, "");

/** A heading's place in its page, as GitHub and VitePress name it: "a page that classifies" is "a-page-that-classifies". */
function placeOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

/** All places that links into a page may name. */
export function placesIn(text: string): readonly string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => placeOf(heading));
}

/** Where a page's links and pictures lead: "serve.md#who", "../src/random.ts", "https://…". */
export function linksIn(text: string): readonly string[] {
  const prose = withoutBlocks(text).replaceAll(/`[^`\n]*`/g, "");
  const written = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  const inTags = [...prose.matchAll(/\b(?:src|srcset|href)="([^"]+)"/g)].map(([, target = ""]) => target);
  return [...written, ...inTags];
}

/** The commands of this program in a page, each a line: `$ ` before them and comments behind them are left out. */
export function commandsIn(text: string): readonly string[] {
  const lines = blocks(text)
    .filter(({ language }) => ["", "sh"].includes(language))
    .flatMap(({ code }) => code.replaceAll(/\\\n\s*/g, "").split("\n"))
    .map((line) => line.replace(/^\$ /, "").replace(/ {2,}#.*$/, ""));
  const inline = [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  return [...lines, ...inline].filter((line) => /^(?:\.\/)?alexnet [a-z-]/.test(line)).map((line) => line.trim());
}
