import { precisions } from "#src/engine/engine.js";
import { agreement } from "./agreement.js";
import { tolerances } from "./tolerances.js";

agreement("onednn", tolerances.float32);
for (const precision of precisions) agreement("cuda", tolerances[precision], { precision });
