import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

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
