import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import type { Page } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The system's Chromium; ALEXNET_CHROMIUM names another. Undefined where there is none. */
export function findChromium(): string | undefined {
  const { ALEXNET_CHROMIUM: chosen, PATH = "" } = process.env;
  if (chosen) return chosen;
  const folders = [...PATH.split(delimiter), "/Applications/Google Chrome.app/Contents/MacOS"];
  const places = folders.flatMap((folder) => [...names, "Google Chrome"].map((name) => join(folder, name)));
  return places.find((place) => existsSync(place));
}

export const NO_CHROMIUM = "no Chromium here: install the system's chromium package, or set ALEXNET_CHROMIUM";

/** Milliseconds that a page may take for anything: tests run side by side, on machines that others use. */
export const PATIENCE = 120_000;

/** What axe-core finds wrong with a page for people who don't see it, or not well: "color-contrast: .soft". */
export async function findViolations(page: Page): Promise<readonly string[]> {
  // From outside of the page's policy, which lets no script in.
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(axe);
  return page.evaluate<string[]>(
    `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ": " + node.target + " " + node.failureSummary)))`,
  );
}
