// Makes the pictures of README and docs/: draws the demo's set, trains on it for some minutes, and takes what pages show
// of that in the system's Chromium. Usage: npm run build && node scripts/make-pictures.js [folder to work in, which is kept]
import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { drawPictures } from "../dist/demo/pictures.js";
import { sharp } from "../dist/images/sharp.js";

const MOST_BYTES = 1e6; // of all pictures together: Git holds them
const project = fileURLToPath(new URL("..", import.meta.url));
const main = join(project, "dist/cli/main.js");
const pictures = join(project, "docs/pictures");
const [given] = process.argv.slice(2);
const scratch = given ?? mkdtempSync(join(tmpdir(), "alexnet-pictures-"));
const set = join(scratch, "scenes");
const runs = join(scratch, "runs");
const run = join(runs, "scenes");

mkdirSync(pictures, { recursive: true });
mkdirSync(runs, { recursive: true });
const browser = await chromium.launch({ executablePath: findChromium(), args: ["--no-sandbox"] });
const server = spawn(process.execPath, [main, "serve", runs, "--port", "0"], { stdio: ["ignore", "pipe", "pipe"] });
let training;
try {
  const url = await addressOf(server);
  if (!existsSync(set)) await drawPictures(set, { seed: 1, train: 200, val: 40 });
  if (!existsSync(join(run, "report.html"))) {
    const trained = train();
    await live(url);
    await trained;
    alexnet("report", run);
  }
  await pages(url);
  await files();
  drawSpeed();
} finally {
  training?.kill();
  server.kill();
  await browser.close();
  if (given === undefined) rmSync(scratch, { recursive: true, force: true });
}
const bytes = readdirSync(pictures).reduce((sum, name) => sum + statSync(join(pictures, name)).size, 0);
console.log(`${pictures}: ${Math.round(bytes / 1000)} kB`);
if (bytes > MOST_BYTES) throw new Error(`${bytes} bytes are more than ${MOST_BYTES}`);

function alexnet(...args) {
  execFileSync(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "inherit"] });
}

/** Resolves when the training has ended. A run that was interrupted here before is resumed. */
function train() {
  const anew = [set, "--run", run, "--width", "0.25", "--epochs", "13", "--metrics-every", "1"];
  const options = existsSync(join(run, "config.json")) ? ["--resume", run] : anew;
  training = spawn(process.execPath, [main, "train", ...options], { stdio: ["ignore", "ignore", "inherit"] });
  return new Promise((resolve, reject) => {
    training.once("error", reject);
    training.once("exit", (status) => (status === 0 ? resolve() : reject(new Error(`training ended with ${status}`))));
  });
}

async function addressOf(child) {
  let said = "";
  for await (const text of child.stdout) {
    said += text;
    const [address] = /http:\/\/[\d.]+:\d+/.exec(said) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error(`the server gave no address: ${said}`);
}

/** The page of a run in training, from its ninth epoch on, in both schemes. */
async function live(url) {
  while (!existsSync(join(run, "config.json"))) await new Promise((resolve) => setTimeout(resolve, 500));
  const page = await browser.newPage({ viewport: { width: 1100, height: 720 } });
  await page.goto(`${url}/#/run/scenes`);
  await page
    .getByText(/epoch (9|1\d) of/)
    .first()
    .waitFor({ timeout: 3_600_000 });
  await page.waitForTimeout(15_000); // steps of the epoch under way
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForTimeout(3000); // the curves are drawn anew
    await keep(await page.screenshot(), `live-${scheme}`, 1100);
  }
  const batch = await fetch(`${url}/api/runs/scenes/batch?turn=0`);
  await keep(Buffer.from(await batch.arrayBuffer()), "batch", 560);
  await page.close();
}

/** What pages show of the run that has ended. */
async function pages(url) {
  const page = await browser.newPage({ viewport: { width: 760, height: 700 }, colorScheme: "light" });
  page.setDefaultTimeout(300_000);
  await page.goto(pathToFileURL(join(run, "report.html")).href);
  await keep(await page.locator("#confusion .matrix").first().screenshot(), "report", 560);
  await page.goto(`${url}/#/classify/scenes`);
  await page.locator('input[type="file"]').first().setInputFiles(heldOut("house"));
  await page.getByText("%").first().waitFor();
  await page.waitForTimeout(2000);
  await keep(await page.screenshot(), "page", 560);
  await page.close();
}

/** What commands draw into files. */
async function files() {
  const sheet = join(scratch, "similar.png");
  const queries = ["car", "flower", "sailboat"].map(heldOut);
  alexnet("similar", run, join(set, "train"), ...queries, "--count", "5", "--sheet", sheet);
  await keep(sheet, "similar", 560);
  const folder = join(scratch, "look");
  alexnet("look", run, heldOut("umbrella"), "--out", folder, "--force");
  await keep(join(folder, "occlusion.png"), "look", 560);
}

/** The first validation picture of a class. */
function heldOut(name) {
  return join(set, "val", name, "0001.jpg");
}

/** Rows of docs/performance.md as bars: images a second in training, alexnet and PyTorch at its best and as it comes. */
function drawSpeed() {
  const text = readFileSync(join(project, "docs/performance.md"), "utf8");
  const rows = [...text.matchAll(/^\| (PyTorch, .*?) \| ([\d.]+) \| ([\d.]+) \|/gm)];
  const [plain, best] = [/its LocalResponseNorm/, /its best/].map((wanted) =>
    rows.find(([, name]) => wanted.test(name)),
  );
  if (plain === undefined || best === undefined) throw new Error("docs/performance.md has no table of PyTorch");
  const bars = [
    ["alexnet", Number(plain[3])],
    ["PyTorch, torch.compile, channels last", Number(best[2])],
    ["PyTorch", Number(plain[2])],
  ];
  const scale = 560 / Math.max(...bars.map(([, rate]) => rate));
  const drawn = bars.map(
    ([name, rate], i) => `<text x="0" y="${16 + 44 * i}">${name}</text>
<rect x="0" y="${22 + 44 * i}" width="${(rate * scale).toFixed(0)}" height="14" rx="3"${i === 0 ? "" : ' class="other"'}/>
<text x="${(rate * scale + 8).toFixed(0)}" y="${34 + 44 * i}">${rate.toFixed(0)} images/s</text>`,
  );
  writeFileSync(
    join(pictures, "speed.svg"),
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 132" width="680" role="img">
<title>Images a second in training: ${bars.map(([name, rate]) => `${name} ${rate}`).join("; ")}</title>
<style>text{font:13px system-ui,sans-serif;fill:#1f2328}rect{fill:#0969da}.other{fill:#8c959f}@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#4493f8}.other{fill:#7d8590}}</style>
${drawn.join("\n")}
</svg>
`,
  );
}

/** As WebP of a width. */
async function keep(png, name, width) {
  await sharp(png)
    .resize({ width, withoutEnlargement: true })
    .webp({ quality: 78 })
    .toFile(join(pictures, `${name}.webp`));
}

function findChromium() {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const places = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error("no Chromium here: install the system's chromium package");
  return found;
}
