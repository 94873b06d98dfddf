import { readFileSync } from "node:fs";
import loadWabt from "wabt";

/** A kernel in WebAssembly text below src/, as the base64 beside it. */
export async function assemble(path: string): Promise<string> {
  const text = readFileSync(new URL(`../../src/${path}`, import.meta.url), "utf8");
  const { buffer } = (await loadWabt()).parseWat(path, text, { simd: true }).toBinary({});
  return Buffer.from(buffer).toString("base64");
}
