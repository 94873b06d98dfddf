import { type EngineName, engineNames } from "#src/engine/engine.js";
import { conformance, type Tolerances } from "./conformance.js";

/** By the number format: float64 against float64 values; the networks' files are float32. */
const tolerances: Readonly<Record<EngineName, Tolerances>> = {
  reference: { layer: 1e-10, network: 1e-5, probabilities: 1e-4 },
  onednn: { layer: 1e-5, network: 1e-4, probabilities: 1e-4 },
};

for (const name of engineNames) conformance(name, tolerances[name]);
