import { precisions } from "#src/engine/engine.js";
import { agreement } from "../../support/agreement.js";
import { conformance } from "../../support/conformance.js";
import { useEmulator } from "../../support/emulator.js";
import { tolerances } from "../../support/tolerances.js";

/** The whole engine, its kernels included, on an emulated device. */

const missing = useEmulator();
if (missing !== undefined) console.warn(`emulated CUDA is skipped: ${missing}`);

for (const precision of precisions) {
  conformance("cuda", tolerances[precision], { precision });
  agreement("cuda", tolerances[precision], { precision }, 6);
}
