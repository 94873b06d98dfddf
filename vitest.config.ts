import { defineConfig } from "vitest/config";

// Tests import the built project by its "#src/…" alias: what is tested is what is shipped, worker threads included.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    server: { deps: { external: [/\/dist\//] } },
    pool: "forks",
    env: {
      OMP_WAIT_POLICY: "passive", // tests run side by side: threads that wait leave the cores to others
      ALEXNET_ALGORITHMS: "default", // what is measured while others compute would differ from run to run
    },
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
