import { execFile, spawn } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { drawPictures } from "#src/demo/pictures.js";
import { main } from "../support/command-line.js";
import { temporaryFolder } from "../support/folders.js";

const folder = temporaryFolder("alexnet tutorial ");
const environment = { ...process.env, ALEXNET_CACHE: join(folder, "cache") };

/** Lines of the tutorial that begin with a prompt, in order. */
const typed = [...readFileSync("docs/tutorial.md", "utf8").matchAll(/^\$ (.+)$/gm)].map(([, line = ""]) => line);

/** The same at a size for tests. */
const quicker = (line: string): string =>
  line.replace("./alexnet", "node main.js").replace("--width 0.25 --epochs 10", "--width 0.05 --epochs 1 --batch 12");

async function shell(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd: folder, env: environment });
  return stdout;
}

it("what the tutorial types works, in its order", { timeout: 600_000 }, async () => {
  await drawPictures(join(folder, "photos"), { seed: 1, train: 4, val: 2 });
  await drawPictures(join(folder, "drawn"), { seed: 2, train: 1, val: 1 });
  mkdirSync(join(folder, "new"));
  const [pictures = ""] = (await shell("ls drawn/train/*/*.jpg")).split("\n").filter(Boolean);
  for (const name of ["bus", "goldfish"]) symlinkSync(join(folder, pictures), join(folder, "new", `${name}.jpg`));
  symlinkSync(resolve(main), join(folder, "main.js"));
  expect(typed.length).toBeGreaterThan(8);
  expect(typed.some((line) => line.startsWith("./alexnet train "))).toBe(true);

  for (const line of typed.map(quicker)) {
    if (line.startsWith("curl ") || line.includes(" serve ")) continue;
    expect(await shell(line), line).not.toBe("");
  }

  const [serve = "", ask = ""] = typed.filter((line) => / serve |^curl /.test(line)).map(quicker);
  const server = spawn("sh", ["-c", `exec ${serve} --port 0`], { cwd: folder, env: environment });
  try {
    let said = "";
    for await (const text of server.stdout) {
      said += text;
      if (/http:\S+/.test(said)) break;
    }
    const [address = ""] = /http:\/\/[\d.:]+/.exec(said) ?? [];
    const answer = JSON.parse(await shell(ask.replace("http://127.0.0.1:7012", address)));
    expect(answer.predictions).toHaveLength(3);
  } finally {
    server.kill();
  }
});
