import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** What takes long: kills, a long training run, the emulated device, programs from the documentation, every variant. */
const long = "test/**/*.long.test.ts";
/** What tries random input: a few hundred times in the short run, thousands of times in the long one. */
const fuzz = "test/**/*fuzz.test.ts";

/** The WebGPU engine's tests take the adapter on the processor that comes with Debian's Chromium, unless drivers are named. */
const softwareAdapter = "/usr/lib/chromium/vk_swiftshader_icd.json";
const { VK_DRIVER_FILES = existsSync(softwareAdapter) ? softwareAdapter : "", XDG_RUNTIME_DIR = "/tmp" } = process.env;

// Tests import the built project by its "#src/…" alias: what is tested is what is shipped, worker threads included.
export default defineConfig({
  test: {
    server: { deps: { external: [/\/dist\//] } },
    pool: "forks",
    env: {
      OMP_WAIT_POLICY: "passive", // tests run side by side: threads that wait leave the cores to others
      ...(VK_DRIVER_FILES !== "" && { VK_DRIVER_FILES, XDG_RUNTIME_DIR }), // without the folder it complains
      ALEXNET_ALGORITHMS: "default", // what is measured while others compute would differ from run to run
    },
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: "short", include: ["test/**/*.test.ts"], exclude: [long] } },
      {
        extends: true,
        test: { name: "long", include: [long, fuzz], env: { ALEXNET_TESTS: "long" }, testTimeout: 300_000 },
      },
    ],
  },
});
