import { precisions } from "#src/engine/engine.js";
import { agreement } from "../support/agreement.js";
import { tolerances } from "../support/tolerances.js";

agreement("onednn", tolerances.float32);
agreement("webgpu", tolerances.float32, {}, 12);
agreement("onednn", tolerances.bf16, { precision: "bf16" });

/** Fewer on a GPU: the kernels of each shape have to be compiled. */
const RUNS = Number(process.env.AGREEMENT_RUNS ?? 12);
for (const precision of precisions) agreement("cuda", tolerances[precision], { precision }, RUNS);
