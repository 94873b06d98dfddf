import type { Convolution } from "../../../network/network.js";
import type { OperationInfo } from "../../program/operations.js";
import type { Build, Tensor } from "../build.js";
import type { Squares } from "./layout.js";

/** Adds what keeps taps at 0 that filters over squares have beyond those of the layer's own filters. */
export function addTapClearing(
  build: Build,
  info: OperationInfo,
  dw: Tensor,
  { filters, size }: Convolution,
  { block }: Squares,
): void {
  const definitions = { BLOCK: block, BLOCK_TAPS: Math.ceil(size / block), SIZE: size };
  build.add(info, [dw], "taps.cu", () =>
    build.gpu.kernels.each("taps", "clear", definitions, dw.length, [build.address(dw), filters]),
  );
}
