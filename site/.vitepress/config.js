import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";

const docs = fileURLToPath(new URL("../../docs", import.meta.url));

/** Pages by heading; those of docs/ that are named nowhere come under the last one. */
const groups = {
  "Get started": ["index", "tutorial", "start-from-imagenet", "platforms"],
  Guides: ["training", "fine-tuning", "understanding", "serve", "import-export", "gpu", "webgpu", "troubleshooting"],
  Reference: ["commands", "library", "api", "recipes", "environment", "formats", "glossary"],
  Background: ["paper", "performance"],
};
const there = readdirSync(docs)
  .filter((name) => name.endsWith(".md"))
  .map((name) => name.slice(0, -3));
const named = Object.values(groups).flat();
const background = [...groups.Background, ...there.filter((name) => !named.includes(name))];

const titleOf = (name) => /^# (.+)$/m.exec(readFileSync(join(docs, `${name}.md`), "utf8"))?.[1] ?? name;
const item = (name) => ({ text: titleOf(name), link: name === "index" ? "/docs/" : `/docs/${name}` });

const sidebar = Object.entries({ ...groups, Background: background }).map(([text, names]) => ({
  text,
  items: names.filter((name) => there.includes(name)).map(item),
}));

/** Markdown's tables have a row of headers always; those without a text are no headers for who hears the page. */
function emptyHeadersAreCells({ tokens }) {
  tokens.forEach((token, i) => {
    if (token.type !== "th_open" || tokens[i + 1].content !== "") return;
    token.tag = "td";
    tokens[i + 2].tag = "td";
  });
}

export default defineConfig({
  srcDir: ".pages",
  title: "alexnet",
  description: "AlexNet (2012) for your photos, in TypeScript",
  lang: "en",
  cleanUrls: false,
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config: (md) => md.core.ruler.push("empty-headers", emptyHeadersAreCells),
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Documentation", link: "/docs/" },
      { text: "Commands", link: "/docs/commands" },
      { text: "Library", link: "/docs/library" },
      { text: "Changes", link: "/CHANGELOG" },
    ],
    sidebar: [
      ...sidebar,
      {
        text: "For contributors",
        items: [
          { text: "Contributing", link: "/CONTRIBUTING" },
          { text: "Experiments", link: "/docs/contributing/experiments" },
        ],
      },
    ],
  },
});
