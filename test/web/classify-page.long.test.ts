import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openModel } from "#src/evaluation/open-model.js";
import { sharp } from "#src/images/sharp.js";
import { exportPage } from "#src/report/classify-page.js";
import { findChromium, findViolations, NO_CHROMIUM, PATIENCE } from "../support/browser.js";
import { serveFolder } from "../support/static-server.js";
import { quick, trainedSet } from "../support/trained-runs.js";

const { run, scratch } = trainedSet();
const out = join(scratch, "page");
const executablePath = findChromium();

interface Row {
  readonly file: string;
  readonly predictions: readonly { readonly class: string; readonly probability: number }[];
}

/** A picture with edges, gradients and noise, so that every step of its preparation leaves a trace. */
function drawing(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const place = (y * width + x) * 3;
      const inside = (x - width / 3) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2;
      pixels[place] = inside ? 220 : (255 * x) / width;
      pixels[place + 1] = ((x >> 4) ^ (y >> 4)) & 1 ? 200 : (255 * y) / height;
      pixels[place + 2] = 128 + 70 * Math.sin(x / 9) * Math.cos(y / 7);
    }
  return pixels;
}

beforeAll(async () => {
  await using model = await openModel(run, quick);
  await exportPage(model, out);
  const image = (width: number, height: number) =>
    sharp(drawing(width, height), { raw: { width, height, channels: 3 } });
  await image(300, 280).jpeg({ quality: 90 }).toFile(join(scratch, "small.jpg"));
  await image(1203, 899).jpeg({ quality: 92 }).toFile(join(scratch, "halved.jpg"));
  await image(2100, 1500).jpeg({ quality: 92, chromaSubsampling: "4:4:4" }).toFile(join(scratch, "quartered.jpg"));
  await image(1000, 700).jpeg({ quality: 92 }).withMetadata({ orientation: 6 }).toFile(join(scratch, "turned.jpg"));
  await image(320, 256).greyscale().jpeg().toFile(join(scratch, "grey.jpg"));
  await image(1400, 1100).greyscale().jpeg().toFile(join(scratch, "large-grey.jpg"));
  await image(1203, 899).jpeg({ quality: 75, progressive: true }).toFile(join(scratch, "progressive.jpg"));
  await image(256, 256).png().toFile(join(scratch, "exact.png"));
  await image(120, 90).png().toFile(join(scratch, "tiny.png"));
  await image(256, 300).ensureAlpha(0.5).png().toFile(join(scratch, "half-transparent.png"));
});

/** How far the page's probabilities may be off. What is transparent is rounded in another order. */
const tolerances: Readonly<Record<string, number>> = {
  "small.jpg": 1e-3,
  "grey.jpg": 1e-3,
  "large-grey.jpg": 1e-3,
  "exact.png": 1e-3,
  "tiny.png": 1e-3,
  "halved.jpg": 1e-3,
  "quartered.jpg": 1e-3,
  "turned.jpg": 1e-3,
  "progressive.jpg": 1e-3,

  "half-transparent.png": 2e-2,
};
const names = Object.keys(tolerances);

describe("the exported page", () => {
  it("holds the page, the network and the runtime, and nothing of where it was made", () => {
    expect(readdirSync(out).sort()).toEqual(["assets", "index.html", "model.json", "model.onnx"]);
    for (const name of ["index.html", "model.json", "model.onnx"])
      expect(readFileSync(join(out, name)).includes(scratch)).toBe(false);
  });

  it("is not written into a folder that has something in it, unless asked to", async () => {
    await using model = await openModel(run, quick);
    await expect(exportPage(model, out)).rejects.toThrow(/not empty; .*force/);
    expect(await exportPage(model, out, { force: true })).toBeGreaterThan(14e6);
  });
});

describe("the exported page in Chromium", () => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  beforeEach((context) => {
    if (executablePath === undefined) context.skip(NO_CHROMIUM);
  });
  afterAll(() => browser?.close());

  async function open(url: string, options: Parameters<Browser["newPage"]>[0] = {}) {
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
    await page.goto(url);
    await page.getByText("3 classes: apple, lake, meadow.").waitFor();
    return { page, problems };
  }

  /** What the page says of pictures that are dropped on it. */
  async function classify(page: Page, files: readonly string[], views: number): Promise<readonly Row[]> {
    if ((await page.getByRole("checkbox").isChecked()) !== (views === 10)) await page.getByRole("checkbox").click();
    await page.getByLabel("Pictures", { exact: true }).setInputFiles(files.map((name) => join(scratch, name)));
    const settled = page.locator(".shots .bars, .shots [role=alert]");
    await expect.poll(() => settled.count(), { timeout: 60_000 }).toBe(files.length);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "JSON" }).click();
    const rows: Row[] = JSON.parse(readFileSync(await (await download).path(), "utf8"));
    await page.getByRole("button", { name: "Clear" }).click();
    return rows;
  }

  it.each([1, 10])("classifies as the engine does, with views: %i", async (views) => {
    const host = await serveFolder(out);
    try {
      const { page, problems } = await open(host.url);
      const rows = await classify(page, names, views);
      await using model = await openModel(run, { ...quick, precision: "float32" });
      for (const name of names) {
        const expected = new Map(
          (await model.classify(join(scratch, name), { views })).map((row) => [row.class, row.probability]),
        );
        const found = rows.find(({ file }) => file === name)?.predictions ?? [];
        expect(found.length, name).toBe(3);
        for (const { class: label, probability } of found)
          expect(Math.abs(probability - (expected.get(label) ?? Number.NaN)), `${name}, ${label}`).toBeLessThan(
            tolerances[name],
          );
      }
      expect(problems).toEqual([]);
      await page.close();
    } finally {
      await host.close();
    }
  });

  it("classifies with its host gone once the network is loaded, and says what it can't read", async () => {
    const host = await serveFolder(out, true);
    const { page } = await open(host.url);
    await host.close();
    writeFileSync(join(scratch, "broken.png"), "no picture");
    const rows = await classify(page, ["small.jpg", "broken.png"], 1);
    expect(rows.map(({ file }) => file)).toEqual(["small.jpg"]);
    await page.close();
  });

  it("takes pictures that are dropped and pasted", async () => {
    const host = await serveFolder(out);
    const { page } = await open(host.url);
    const bytes = readFileSync(join(scratch, "small.jpg")).toString("base64");
    for (const [kind, field] of [
      ["drop", "dataTransfer"],
      ["paste", "clipboardData"],
    ])
      await page.evaluate(`{
        const bytes = Uint8Array.from(atob("${bytes}"), (character) => character.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], "${kind}.jpg", { type: "image/jpeg" }));
        const init = { ${field}: transfer, bubbles: true, cancelable: true };
        document.body.dispatchEvent(${kind === "drop" ? "new DragEvent" : "new ClipboardEvent"}("${kind}", init));
      }`);
    await expect.poll(() => page.locator(".shots .bars").count()).toBe(2);
    expect(await page.locator(".shots h2").allTextContents()).toEqual(["paste.jpg", "drop.jpg"]);
    await page.close();
    await host.close();
  });

  it.each(["light", "dark"] as const)("is legible and fits a phone, %s", async (colorScheme) => {
    const host = await serveFolder(out);
    const { page } = await open(host.url, { colorScheme, viewport: { width: 360, height: 640 } });
    await page.getByLabel("Pictures", { exact: true }).setInputFiles(join(scratch, "small.jpg"));
    await page.locator(".shots .bars").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
    expect(await findViolations(page)).toEqual([]);
    await page.close();
    await host.close();
  });
});
