import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { html, jsonScript } from "#src/drawing/markup.js";
import { type ReportSummary, report } from "#src/report/report.js";
import { checkpointPath } from "#src/runs/checkpoint/keep.js";
import { findChromium, findViolations, NO_CHROMIUM, PATIENCE } from "../support/browser.js";
import { alexnet } from "../support/command-line.js";
import { quick, trainedSet } from "../support/trained-runs.js";

const { run, scratch } = trainedSet();
const out = join(scratch, "report.html");
let summary: ReportSummary;
beforeAll(async () => {
  summary = await report({ run, split: "all", out, ...quick });
});

describe("the page's text", () => {
  it("escapes what is put in, and nothing twice", () => {
    const name = `<script>alert("x")</script> & 'co'`;
    expect(html`<b title="${name}">${[html`<i>${name}</i>`, undefined, 3]}</b>`.text).toBe(
      `<b title="&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;co&#39;"><i>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;co&#39;</i>3</b>`,
    );
    expect(jsonScript("x", { name }).text).not.toMatch(/<\/script>.*<\/script>/);
  });
});

describe("the report", () => {
  it("is one file that refers to nothing outside", () => {
    const text = readFileSync(out, "utf8");
    expect(summary).toMatchObject({ out, bytes: Buffer.byteLength(text), evaluation: { samples: 39 } });
    expect(text).toContain("Content-Security-Policy");
    expect(text).not.toMatch(/<[^>]* (src|href)="(?!data:|#)/);
    expect(text).not.toMatch(/url\(|@import/);
    expect(text).not.toContain("unsafe");
  });

  it("of a checkpoint alone needs a place to go, and has the curves of the run that it lies in", async () => {
    const checkpoint = checkpointPath(join(run, "checkpoints"), "last");
    await expect(report({ run: checkpoint, data: summary.evaluation.data, ...quick })).rejects.toThrow(/\(out\)/);
    const elsewhere = join(scratch, "checkpoint.html");
    await report({ run: checkpoint, data: summary.evaluation.data, out: elsewhere, pictures: 4, ...quick });
    const text = readFileSync(elsewhere, "utf8");
    expect(text).toContain('"curves":{"loss":');
    expect(text.match(/data:image\/jpeg/g)).toHaveLength(4);
  });

  it("on the command line goes into the run's folder", () => {
    const { status, stdout, stderr } = alexnet("report", run, "--threads", "1");
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(
      /run\/report\.html: [\d.]+ kB; top-1 error \d+\.\d %\nover the classes: mean recall \d+\.\d %, macro F1 \d+\.\d %\n$/,
    );
  });
});

describe("the report in Chromium", () => {
  const executablePath = findChromium();
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  beforeEach((context) => {
    if (executablePath === undefined) context.skip(NO_CHROMIUM);
  });
  afterAll(() => browser?.close());

  async function open(options: Parameters<Browser["newPage"]>[0]): Promise<{ page: Page; problems: string[] }> {
    if (browser === undefined) throw new Error(NO_CHROMIUM);
    const page = await browser.newPage(options);
    page.setDefaultTimeout(PATIENCE);
    const problems: string[] = [];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => {
      if (!/^(data|file):/.test(request.url())) problems.push(`asks for ${request.url()}`);
    });
    await page.goto(pathToFileURL(out).href);
    await page.locator("footer").waitFor();
    return { page, problems };
  }

  it("shows a cell's pictures when it is chosen, by mouse or keyboard", async () => {
    const { page, problems } = await open({});
    for (const { label, predicted, count } of summary.evaluation.confusion) {
      const cell = page.locator(`.matrix [data-cell="${label}-${predicted}"]`);
      expect(await cell.textContent()).toBe(String(count));
      await cell.focus();
      await page.keyboard.press("Enter");
      expect(await cell.getAttribute("aria-pressed")).toBe("true");
      expect(await page.locator(".matrix [aria-pressed=true]").count()).toBe(1);
      const images = page.locator("#cell img");
      expect(await images.count()).toBe(Math.min(12, count));
      expect(await images.evaluateAll((all) => all.every((image) => image.naturalWidth === 112))).toBe(true);
      const name = summary.evaluation.perClass[label].name;
      expect(await page.locator("#cell h3").textContent()).toContain(name);
      expect(await images.first().getAttribute("alt")).toContain(`/${name}/`);
    }
    expect(problems).toEqual([]);
    await page.close();
  });

  it("gives every image its picture, and every section a link", async () => {
    const { page } = await open({});
    const images = page.locator("img");
    expect(await images.evaluateAll((all) => all.filter((image) => image.naturalWidth === 0).length)).toBe(0);
    const links = await page.locator("nav a").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    expect(links).toEqual(
      "curves confusion mistakes uncertain classes calibration filters examples settings"
        .split(" ")
        .map((id) => `#${id}`),
    );
    for (const link of links) expect(await page.locator(link ?? "").count()).toBe(1);
    expect(await page.locator("#examples > ul > li").count()).toBe(8);
    await page.close();
  });

  it("sorts classes by a heading", async () => {
    const { page } = await open({});
    const names = (): Promise<string[]> => page.locator("#classes tbody th").allInnerTexts();
    expect(await names()).toEqual(["apple", "lake", "meadow"]);
    const heading = page.locator("#classes thead button").first();
    await heading.click();
    await heading.click();
    expect(await names()).toEqual(["meadow", "lake", "apple"]);
    const recalls = page.locator("#classes tbody td:nth-child(7)");
    await page.locator("#classes thead button", { hasText: "recall" }).click();
    const values = (await recalls.allInnerTexts()).map((text) => Number.parseFloat(text));
    expect(values).toEqual([...values].sort((a, b) => a - b));
    await page.close();
  });

  it("hides a line whose name is chosen, and draws on logarithmic axes", async () => {
    const { page, problems } = await open({});
    const plot = page.locator("#curves .plot canvas").first();
    const drawn = (): Promise<string> => plot.evaluate<string, { toDataURL(): string }>((canvas) => canvas.toDataURL());
    const all = await drawn();
    const training = page.getByRole("button", { name: "training", exact: true });
    await training.click();
    expect(await training.getAttribute("aria-pressed")).toBe("false");
    await expect.poll(drawn).not.toBe(all);
    await training.click();
    await expect.poll(drawn).toBe(all);
    await page.getByRole("button", { name: "logarithmic" }).click();
    await expect.poll(drawn).not.toBe(all);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("hands out its numbers as files", async () => {
    const { page } = await open({});
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download the matrix as CSV" }).click();
    const text = readFileSync(await (await download).path(), "utf8");
    const [heading, ...rows] = text.trim().split("\n");
    expect(heading).toBe("class,apple,lake,meadow");
    const counts = rows.map((row) => row.split(",").slice(1).map(Number));
    expect(counts.flat().reduce((sum, count) => sum + count, 0)).toBe(39);
    for (const { label, predicted, count } of summary.evaluation.confusion)
      expect(counts[label][predicted]).toBe(count);
    await page.close();
  });

  it.each(["light", "dark"] as const)("has nothing that axe finds fault with, %s", async (colorScheme) => {
    const { page } = await open({ colorScheme });
    await page.locator(".matrix [data-cell]").first().click();
    for (const summary of await page.locator("summary").all()) await summary.click();
    expect(await findViolations(page)).toEqual([]);
    await page.close();
  });

  it("is light or dark as the reader has it, and fits a phone", async () => {
    const backgrounds: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await open({ colorScheme, viewport: { width: 360, height: 640 } });
      backgrounds.push(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
      await page.close();
    }
    expect(backgrounds).toEqual(["rgb(246, 247, 249)", "rgb(15, 17, 20)"]);
  });
});
