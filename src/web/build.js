// Builds the browser's pages into dist/web: the app that the server serves, the page that classifies, which works on any host
// with a network beside it, and the report's script and style, which src/report writes into its one file.
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
const target = "es2022";

// The runtime finds its WebAssembly by the addresses that a worker gives it.
await build({
  ...shared,
  worker: { format: "es" },
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "production"] },
  build: {
    outDir: out,
    target,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: [`${root}index.html`, `${root}classify.html`] },
  },
});

await build({
  ...shared,
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    outDir: `${out}report`,
    target,
    emptyOutDir: true,
    lib: {
      entry: `${root}report/main.tsx`,
      formats: ["iife"],
      name: "report",
      fileName: () => "report.js",
      cssFileName: "report",
    },
  },
});
