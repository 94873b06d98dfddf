import { AlexnetError } from "../../../errors.js";
import type { Build } from "../build.js";
import type { ProductSpec } from "../native/blas.js";

/** Puts a product on the stream. Its bias is added by a kernel of our own where the library can't do it with it. */
export function multiply(build: Build, spec: Omit<ProductSpec, "workspace">): () => void {
  const { bias, ...plain } = spec;
  const prepare = (own: typeof plain): (() => void) => {
    const product = build.gpu.blas.prepare({ ...own, workspace: build.blasWorkspace });
    build.own(product.close);
    return product.run;
  };
  if (bias === undefined) return prepare(spec);
  try {
    return prepare(spec);
  } catch (error) {
    if (!(error instanceof AlexnetError)) throw error;
    const { rows, columns, d } = spec;
    const definitions = {
      ...{ BF16: d.format === "bf16" ? 1 : 0, RECTIFY: bias.rectify ? 1 : 0 },
      ...{ COLUMNS: columns, STRIDE: d.stride },
    };
    const product = prepare(plain);
    const args = [bias.address, d.address, BigInt(rows)];
    const add = build.gpu.kernels.each("bias", "add", definitions, rows * columns, args);
    return () => {
      product();
      add();
    };
  }
}
