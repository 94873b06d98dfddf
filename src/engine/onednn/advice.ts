import type { EngineDescription } from "../engine.js";

/**
 * Which major version of the library is the better one on such a processor, if that is known. Versions 2.6 and 3.2 were
 * compared on AVX2 (docs/performance.md), nowhere else.
 */
export function adviceOn({ engine, library, instructionSet }: EngineDescription): string | undefined {
  if (engine !== "onednn" || instructionSet !== "AVX2") return undefined;
  return library.startsWith("oneDNN 2.")
    ? "on this kind of processor oneDNN 2 trains 1.7 times as fast as 3, which predicts 1.1 times as fast"
    : "oneDNN 2 (libdnnl2) trains 1.7 times as fast on this kind of processor; this one predicts 1.1 times as fast";
}
