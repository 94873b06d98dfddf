import type { ConvolutionAlgorithm, ConvolutionProblem } from "./algorithm.js";
import { type DirectConvolution, gradientSpec, weightsBy } from "./direct.js";

/** The weights' gradient as a product of matrices: the library makes one of maps that are row-major. */
export function product(problem: ConvolutionProblem, { spec, operation }: DirectConvolution): ConvolutionAlgorithm {
  const { build, dims, output } = problem;
  const { bindings } = build.library;
  return {
    name: "product",
    weights() {
      const rows = { src: build.descriptor(dims, "row-major"), dst: build.descriptor(output, "row-major") };
      const own = build.quickOnly(() =>
        bindings.convolutionBackwardWeights({ ...gradientSpec(problem, spec), ...rows }, build.attributes, operation),
      );
      return own && weightsBy(problem, own);
    },
  };
}
