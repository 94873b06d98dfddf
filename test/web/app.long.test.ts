import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openModel } from "#src/evaluation/open-model.js";
import { type Serving, serve } from "#src/server/serve.js";
import { findChromium, findViolations, NO_CHROMIUM, PATIENCE } from "../support/browser.js";
import { main } from "../support/command-line.js";
import { quick, trainedSet } from "../support/trained-runs.js";
import { tinyNetwork } from "../support/training.js";

const { run, scratch, path: data } = trainedSet();
const runs = join(scratch, "runs");
const network = join(scratch, "tiny.json");
const executablePath = findChromium();
const server = { engine: "onednn", threads: 1, precision: "float32", runs } as const;

let browser: Browser | undefined;
let serving: Serving;
const training: ChildProcess[] = [];

beforeAll(async () => {
  if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  writeFileSync(network, JSON.stringify(tinyNetwork));
  for (const name of ["first", "second"]) cpSync(run, join(runs, name), { recursive: true, verbatimSymlinks: true });
  serving = await serve({ ...server, port: 0 });
});
beforeEach((context) => {
  if (executablePath === undefined) context.skip(NO_CHROMIUM);
});
afterEach(() => {
  for (const child of training.splice(0)) child.kill("SIGKILL");
});
afterAll(async () => {
  await browser?.close();
  await serving.close();
});

interface Opened {
  readonly page: Page;
  /** What the page complains of, and what it asks other places for. */
  readonly problems: string[];
}

async function open(
  place: string,
  options: Parameters<Browser["newPage"]>[0] = {},
  url = serving.url,
): Promise<Opened> {
  if (browser === undefined) throw new Error(NO_CHROMIUM);
  const page = await browser.newPage(options);
  page.setDefaultTimeout(PATIENCE);
  const problems: string[] = [];
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url()))
      problems.push(`asks for ${request.url()}`);
  });
  await page.goto(`${url}/#/${place}`);
  return { page, problems };
}

/** A run that trains for minutes, in a process of its own. */
async function trainSlowly(name: string): Promise<void> {
  const settings = [
    "--network",
    network,
    "--batch",
    "1",
    "--threads",
    "1",
    "--epochs",
    "2000",
    "--engine",
    "reference",
  ];
  const args = [main, "train", data, "--run", join(runs, name), ...settings, "--metrics-every", "1"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  training.push(child);
  let said = "";
  child.stderr?.on("data", (text) => {
    said += text;
  });
  await soon(async () => (await state(name)) ?? said).toMatch(/^training/);
}

async function state(name: string): Promise<string | undefined> {
  const response = await fetch(`${serving.url}/api/runs/${name}`);
  return response.ok ? ((await response.json()) as { state: string }).state : undefined;
}

/** The number of steps that a run's page speaks of. */
async function stepsOn(page: Page): Promise<number> {
  const text = (await page.locator(".status p").textContent()) ?? "";
  return Number(/step ([\d,]+)/.exec(text)?.[1]?.replaceAll(",", "") ?? -1);
}

/** What holds within half a minute: the machine may be busy. */
const soon = <T>(value: () => T) => expect.poll(value, { timeout: PATIENCE });
const log = (name: string): string => readFileSync(join(runs, name, "log.txt"), "utf8");

describe("the list of runs", () => {
  it("leads to a run, and to several beside each other", async () => {
    const { page, problems } = await open("runs");
    await soon(async () => (await page.locator(".run-card h2").allTextContents()).sort()).toEqual(["first", "second"]);
    for (const name of ["first", "second"]) await page.getByRole("checkbox", { name: `Compare ${name}` }).check();
    await page.getByRole("link", { name: "Compare 2" }).click();
    await page.getByRole("heading", { name: "2 runs beside each other" }).waitFor();
    await page.getByText("There are none: the runs were started alike.").waitFor();
    await page.getByRole("link", { name: "All runs" }).click();
    await page.getByRole("link", { name: "first" }).click();
    await page.getByRole("heading", { name: "first", exact: true }).waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  it("says what to do where there is none", async () => {
    const empty = await serve({ ...server, runs: join(scratch, "none"), port: 0 });
    const { page } = await open("runs", {}, empty.url);
    await page.getByText("There are no runs here yet.").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await page.close();
    await empty.close();
  });

  it("has a first view of less than 150 kB, compressed", async () => {
    const { page } = await open("runs");
    await page.locator(".run-card").first().waitFor();
    const files = await page.evaluate<string[]>(
      `performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => !name.includes("/api/"))`,
    );
    const sizes = await Promise.all(
      [`${serving.url}/`, ...files].map(async (file) => gzipSync(await (await fetch(file)).arrayBuffer()).length),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
    await page.close();
  });
});

describe("a run that trains", () => {
  it("grows on its page, is paused, goes on, is saved and stopped, each recorded in its log", async () => {
    await trainSlowly("live");
    const { page, problems } = await open("run/live");
    await soon(() => stepsOn(page)).toBeGreaterThan(0);
    const first = await stepsOn(page);
    await soon(() => stepsOn(page)).toBeGreaterThan(first);
    await page.locator("#curves canvas").first().waitFor();

    const control = async (label: string): Promise<void> => {
      await page.getByRole("button", { name: label, exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: label, exact: true }).click();
      await soon(() => page.getByRole("dialog").count()).toBe(0);
    };
    await control("Pause");
    await page.getByText("paused", { exact: true }).waitFor();
    const paused = await stepsOn(page);
    await control("Resume");
    await page.getByText("training", { exact: true }).waitFor();
    await soon(() => stepsOn(page)).toBeGreaterThan(paused);
    await control("Lower the rate");
    await control("Save now");
    await control("Stop");
    await page.locator(".badge.stopped").waitFor();
    for (const word of [/paus/, /resum|goes on|going on/, /rate/, /checkpoint/, /stop|ended/])
      expect(log("live")).toMatch(word);
    // A checkpoint may be gone again before its filters are asked for: only the last ones are kept.
    expect(problems.filter((problem) => !problem.includes("404"))).toEqual([]);
    await page.close();
  });

  it("is there again after a reload, and after the server was away", async () => {
    await trainSlowly("kept");
    const first = await serve({ ...server, port: 0 });
    const { page } = await open("run/kept", {}, first.url);
    await soon(() => stepsOn(page)).toBeGreaterThan(0);
    const before = await stepsOn(page);
    await page.reload();
    await soon(() => stepsOn(page)).toBeGreaterThanOrEqual(before);
    await first.close();
    await page.locator(".status .lost").waitFor();
    const then = await stepsOn(page);
    const again = await serve({ ...server, port: Number(new URL(first.url).port) });
    await soon(() => page.locator(".status .lost").count()).toBe(0);
    await soon(() => stepsOn(page)).toBeGreaterThan(then);
    // The curve has no hole where nobody listened.
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "CSV" }).nth(2).click();
    const lines = readFileSync(await (await download).path(), "utf8")
      .trim()
      .split("\n")
      .slice(1);
    const steps = lines.map((line) => Number(line.split(",")[0]));
    expect(steps[0]).toBeLessThan(5);
    const gaps = steps.slice(1).map((step, i) => step - steps[i]);
    expect(Math.max(...gaps)).toBeLessThan(10); // a long run's neighbours are averaged
    await page.close();
    await again.close();
  });
});

describe("the page that starts a run", () => {
  it("leads from a folder to a run that trains live, and says beforehand what it will take", async () => {
    const own = await serve({ ...server, port: 0, pictures: scratch });
    const { page, problems } = await open("start", {}, own.url);
    const start = page.getByRole("button", { name: "Start training" });
    expect(await start.isDisabled()).toBe(true);
    await page.getByRole("button", { name: "pictures", exact: true }).click();
    await page.getByText(data, { exact: true }).waitFor();
    await page.getByRole("button", { name: "Use this folder" }).click();
    await page.getByRole("heading", { name: "39 pictures in 3 classes" }).waitFor();
    expect((await page.locator(".class-bars .name").allTextContents()).sort()).toEqual(["apple", "lake", "meadow"]);
    await page.locator(".contact-sheet").waitFor();
    for (const [name, value] of [
      ["width", "0.125"],
      ["epochs", "400"],
      ["batch size", "8"],
    ] as const)
      await page.getByLabel(name, { exact: true }).fill(value);
    await page.getByText("All other settings").click();
    await page.getByLabel("metrics every", { exact: true }).fill("1");
    await page.getByText(/400 epochs, 8 pictures a step, .* parameters\. About/).waitFor();
    await page.getByLabel("Name of the run").fill("begun");
    await start.click();
    await page.getByRole("heading", { name: "begun", exact: true }).waitFor();
    await soon(() => stepsOn(page)).toBeGreaterThan(0);
    const first = await stepsOn(page);
    await soon(() => stepsOn(page)).toBeGreaterThan(first);
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop", exact: true }).click();
    await page.locator(".badge.stopped").waitFor();
    expect(problems.filter((problem) => !problem.includes("404"))).toEqual([]);
    await page.close();
    await own.close();
  });
});

describe("classifying", () => {
  it("says the same on the server and in the browser, within 0.001, there with the server stopped too", async () => {
    const own = await serve({ ...server, port: 0 });
    const { page, problems } = await open("classify/first", {}, own.url);
    await using model = await openModel(run, { ...quick, precision: "float32" });
    const { samples } = await model.evaluate();
    expect(samples).toBeGreaterThan(0);
    const picture = join(data, "val", "lake", "0.png");
    const ask = async (): Promise<Map<string, number>> => {
      await page.getByLabel("Pictures", { exact: true }).setInputFiles(picture);
      await page.locator(".shots .bars").waitFor();
      const download = page.waitForEvent("download");
      await page.getByRole("button", { name: "JSON" }).click();
      const [row] = JSON.parse(readFileSync(await (await download).path(), "utf8"));
      await page.getByRole("button", { name: "Clear" }).click();
      return new Map(
        row.predictions.map((one: { class: string; probability: number }) => [one.class, one.probability]),
      );
    };
    const onServer = await ask();
    await page.getByRole("button", { name: "in this browser" }).click();
    await page.getByText("The network is here").waitFor();
    await own.close();
    const here = await ask();
    expect(onServer.size).toBe(3);
    for (const [name, probability] of onServer)
      expect(Math.abs((here.get(name) ?? Number.NaN) - probability)).toBeLessThan(1e-3);
    expect(problems.filter((problem) => !/ERR_CONNECTION_REFUSED|Failed to load/.test(problem))).toEqual([]);
    await page.close();
  });
});

describe("exploring", () => {
  it("shows a cell's pictures, looks at one layer by layer, and keeps marks of wrong labels", async () => {
    const { page, problems } = await open("explore/first");
    await page.locator(".matrix button").first().click();
    await page.locator("#cell img").first().waitFor();
    await page.locator("#cell .link", { hasText: "look" }).first().click();
    await page.locator(".maps").waitFor();
    await page.getByRole("button", { name: "fc2" }).click();
    await soon(() => page.locator(".maps").getAttribute("alt")).toBe("The feature maps of fc2");
    await page.locator("#look .pictures img").first().waitFor();
    await page.locator("#cell .link", { hasText: "wrong label" }).first().click();
    await page.locator("#marks tbody tr").waitFor();
    await page.reload();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "List of files" }).click();
    expect(readFileSync(await (await download).path(), "utf8")).toMatch(/^val\/.*\n$/);
    expect(problems).toEqual([]);
    await page.close();
  });
});

describe("the paper's page", () => {
  it("has each idea's figures computed anew when a slider is moved", async () => {
    const { page, problems } = await open("paper");
    const demo = page.locator(".idea", { hasText: "Crops and mirror images" });
    const image = demo.locator(".figures img").last();
    await image.waitFor();
    const before = await image.getAttribute("src");
    await demo.getByRole("slider").first().fill("0");
    await soon(() => image.getAttribute("src")).not.toBe(before);
    await soon(() => page.locator(".demo .figures img").count()).toBeGreaterThanOrEqual(5);
    expect(problems).toEqual([]);
    await page.close();
  });
});

/** Each page, and what is there when it has come. */
const pages = [
  ["runs", ".run-card"],
  ["run/first", "#curves canvas"],
  ["compare/first,second", "#curves canvas"],
  ["start", "#network input"],
  ["classify/first", ".drop"],
  ["explore/first", ".matrix"],
  ["paper", ".demo .figures img"],
] as const;

describe.each(pages)("the page %s", (place, there) => {
  it.each([
    [1280, "light"],
    [1280, "dark"],
    [390, "light"],
    [390, "dark"],
  ] as const)("fits a window of %d pixels, %s, and axe finds nothing wrong with it", async (width, colorScheme) => {
    const { page, problems } = await open(place, { colorScheme, viewport: { width, height: 900 } });
    await page.locator(there).first().waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    expect(await findViolations(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });
});
