import { precisions } from "#src/engine/engine.js";
import { conformance } from "../support/conformance.js";
import { tolerances } from "../support/tolerances.js";

conformance("reference", tolerances.float64);
conformance("onednn", tolerances.float32);
conformance("webgpu", tolerances.float32);
conformance("onednn", tolerances.bf16, { precision: "bf16" });
for (const precision of precisions) conformance("cuda", tolerances[precision], { precision });
