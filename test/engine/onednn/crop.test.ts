import { expect, test } from "vitest";
import { cropKernel } from "#src/engine/onednn/layers/crop-kernel.js";
import { assemble } from "../../support/assemble.js";

test("the kernel is the one in crop.wat (scripts/assemble-kernels.mjs)", async () => {
  expect(await assemble("engine/onednn/layers/crop.wat")).toBe(cropKernel);
});
