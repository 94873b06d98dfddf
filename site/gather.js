// Lays out what the site is made of in a folder, as it lies in the repository, so that links between pages need no change:
// README and the others of the root, docs/, and each file of the source that a page links to, as a page that shows it.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("..", import.meta.url));
const languages = { ".ts": "ts", ".tsx": "tsx", ".js": "js", ".cu": "cpp", ".wat": "wasm" };

/** @param {string} to a folder that is made anew */
export function gather(to) {
  rmSync(to, { recursive: true, force: true });
  cpSync(join(project, "docs"), join(to, "docs"), { recursive: true });
  for (const page of ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"])
    cpSync(join(project, page), join(to, page));
  cpSync(join(project, "README.md"), join(to, "index.md"));
  for (const page of pagesIn(to)) showSources(to, page);
}

const pagesIn = (folder) => readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".md"));

/** Links of a page to files outside of docs/ lead to pages of the site that show those files, which are made here. */
function showSources(to, page) {
  const path = join(to, page);
  const text = readFileSync(path, "utf8");
  const led = text.replaceAll(
    /\]\(((?:\.\.?\/)*(?:src|bench|scripts)\/[^)#\s]+|LICENSE)(#[^)]*)?\)/g,
    (link, target) => {
      const file = normalize(join(dirname(page), target));
      const made = file.endsWith(".md") ? file : `${file}.md`;
      mkdirSync(join(to, dirname(made)), { recursive: true });
      writeFileSync(join(to, made), show(file));
      const way = relative(dirname(page), made);
      return made === file ? link : `](${way.startsWith(".") ? way : `./${way}`})`;
    },
  );
  writeFileSync(path, led);
}

/** Markdown as it is; anything else as a block of code under its path. */
function show(file) {
  const text = readFileSync(join(project, file), "utf8");
  if (file.endsWith(".md")) return text.replaceAll(/\]\((?:\.\.?\/)+docs\//g, `](${relative(dirname(file), "docs")}/`);
  const language = languages[/\.\w+$/.exec(file)?.[0] ?? ""] ?? "text";
  return `---\naside: false\n---\n\n# ${file}\n\n\`\`\`\`${language}:line-numbers\n${text.trimEnd()}\n\`\`\`\`\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) gather(process.argv[2] ?? ".pages");
