import type { Tolerances } from "./conformance.js";

/**
 * By the number format, against float64 values; the networks' files are float32. What goes through a whole network
 * and back may be ten times as far off as one layer.
 */
export const tolerances = {
  float64: { layer: 1e-10, network: 1e-5, probabilities: 1e-4, close: 1e-6 },
  float32: { layer: 1e-5, network: 1e-4, probabilities: 1e-4, close: 1e-6 },
  tf32: { layer: 2e-3, network: 2e-2, probabilities: 2e-3, close: 2e-3, coarse: "products" },
  bf16: { layer: 2e-2, network: 2e-1, probabilities: 2e-2, close: 2e-2, coarse: "values" },
} as const satisfies Readonly<Record<string, Tolerances>>;
