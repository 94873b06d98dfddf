// Builds the site: node build.js [folder [base]]. Fails on a link that leads nowhere.
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vitepress";
import { gather } from "./gather.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const [out = "out", base = "/"] = process.argv.slice(2);
const outDir = resolve(out); // before the folder changes
process.chdir(here);
gather(".pages");
try {
  await build(here, { outDir, base });
} finally {
  rmSync(".pages", { recursive: true, force: true });
}
