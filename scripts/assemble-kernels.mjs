// Assembles the WebAssembly text below src/ into TypeScript beside it. Run it after changing one.
import { readFileSync, writeFileSync } from "node:fs";
import loadWabt from "wabt";

const kernels = {
  "images/resample": "resampleKernel",
  "store/picture-sums": "pictureSumsKernel",
  "engine/onednn/rows/simd": "simdKernel",
};

const wabt = await loadWabt();
for (const [path, name] of Object.entries(kernels)) {
  const source = new URL(`../src/${path}.wat`, import.meta.url);
  const file = source.pathname.split("/").at(-1);
  const { buffer } = wabt.parseWat(file, readFileSync(source, "utf8"), { simd: true }).toBinary({});
  const lines = Buffer.from(buffer)
    .toString("base64")
    .match(/.{1,110}/g);
  writeFileSync(
    new URL(`../src/${path}-kernel.ts`, import.meta.url),
    `/** ${file}, assembled by scripts/assemble-kernels.mjs; base64. */
export const ${name} = [
${lines.map((line) => `  "${line}",`).join("\n")}
].join("");
`,
  );
}
