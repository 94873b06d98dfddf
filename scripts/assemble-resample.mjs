// Assembles src/images/resample.wat into src/images/resample-kernel.ts. Run it after changing the former.
import { readFileSync, writeFileSync } from "node:fs";
import loadWabt from "wabt";

const folder = new URL("../src/images/", import.meta.url);
const text = readFileSync(new URL("resample.wat", folder), "utf8");
const wabt = await loadWabt();
const { buffer } = wabt.parseWat("resample.wat", text, { simd: true }).toBinary({});
const lines = Buffer.from(buffer)
  .toString("base64")
  .match(/.{1,110}/g);
writeFileSync(
  new URL("resample-kernel.ts", folder),
  `/** resample.wat, assembled by scripts/assemble-resample.mjs; base64. */
export const resampleKernel = [
${lines.map((line) => `  "${line}",`).join("\n")}
].join("");
`,
);
