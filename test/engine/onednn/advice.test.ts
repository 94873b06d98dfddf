import { describe, expect, it } from "vitest";
import { adviceOn } from "#src/engine/onednn/advice.js";

const described = (library: string, instructionSet: string, engine = "onednn") =>
  adviceOn({ engine, library, instructionSet, precision: "float32", threads: 2 } as Parameters<typeof adviceOn>[0]);

describe("advice on the library's version", () => {
  it.each(["AVX2", "AVX-512", "AVX-512 with bfloat16"])("names oneDNN 2 to train with on %s", (instructionSet) => {
    expect(described("oneDNN 3.2.0", instructionSet)).toMatch(/^oneDNN 2 trains 1\.\d times as fast/);
    expect(described("oneDNN 2.6.3", instructionSet)).toMatch(/^on this kind of processor oneDNN 2 trains 1\.\d times/);
  });

  it("is silent where nothing was compared", () => {
    expect(described("oneDNN 3.2.0", "SSE4.1")).toBeUndefined();
    expect(described("cuDNN 9.28", "AVX2", "cuda")).toBeUndefined();
  });
});
