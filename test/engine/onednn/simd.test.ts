import { expect, test } from "vitest";
import { simdKernel } from "#src/engine/onednn/rows/simd-kernel.js";
import { assemble } from "../../support/assemble.js";

test("the kernel is the one in simd.wat (scripts/assemble-kernels.mjs)", async () => {
  expect(await assemble("engine/onednn/rows/simd.wat")).toBe(simdKernel);
});
