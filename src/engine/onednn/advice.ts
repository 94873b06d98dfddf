import type { EngineDescription } from "../engine.js";

/**
 * How many times as fast version 2.6 trains and predicts (batches of 64) as 3.2, by instruction set, where the two were
 * compared (docs/performance.md). In float32: of bf16 no difference is known.
 */
const advantages = [
  { instructionSet: "AVX-512", training: "1.4", prediction: "1.3" },
  { instructionSet: "AVX2", training: "1.7", prediction: "0.9" },
] as const;

/** Which major version of the library is the better one on such a processor, if that is known. */
export function adviceOn({ engine, library, instructionSet, precision }: EngineDescription): string | undefined {
  const known = advantages.find((row) => instructionSet.split(" ")[0] === row.instructionSet);
  if (engine !== "onednn" || precision !== "float32" || known === undefined) return undefined;
  const { training, prediction } = known;
  return library.startsWith("oneDNN 2.")
    ? `on this kind of processor oneDNN 2 trains ${training} times as fast as 3 and predicts ${prediction} times as fast`
    : `oneDNN 2 trains ${training} times as fast on this kind of processor and predicts ${prediction} times as fast`;
}
