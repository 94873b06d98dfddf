// Writes docs/commands.md from what `--help` prints: run it after changing a command's options.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const help = (...command) =>
  execFileSync(process.execPath, [main, ...command, "--help"], { encoding: "utf8" }).trimEnd();
const namesIn = (text) => [...text.matchAll(/^ {2}([a-z][a-z-]+) /gm)].map(([, name]) => name);
const fenced = (text) => `\`\`\`\n${text}\n\`\`\``;

const whole = help();
const sections = [...new Set(namesIn(whole))]
  .filter((name) => name !== "help")
  .map((name) => {
    const own = help(name);
    const inner = name === "bench" ? namesIn(own).filter((command) => command !== "help") : [];
    return [`## ${name}`, fenced(own), ...inner.map((command) => fenced(help(name, command)))].join("\n\n");
  });
const introduction = `# Commands

Every command takes \`--help\`; this page is what they print. Invalid arguments end with exit status 2, other
failures with 1, an interruption with 130. What was asked for goes to standard output, everything else to standard error,
and \`--json\` prints JSON alone.`;
writeFileSync(
  new URL("../docs/commands.md", import.meta.url),
  `${[introduction, fenced(whole), ...sections].join("\n\n")}\n`,
);
