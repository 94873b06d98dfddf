// Builds the browser's pages into dist/web: the pages that the server serves, and the report's script and style, which
// src/report writes into its one file.
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));
const out = fileURLToPath(new URL("../../dist/web/", import.meta.url));

const shared = {
  root,
  configFile: false,
  base: "./",
  logLevel: "warn",
  publicDir: false,
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
};

await build({
  ...shared,
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    outDir: `${out}report`,
    emptyOutDir: true,
    target: "es2022",
    lib: {
      entry: `${root}report/main.tsx`,
      formats: ["iife"],
      name: "report",
      fileName: () => "report.js",
      cssFileName: "report",
    },
  },
});
