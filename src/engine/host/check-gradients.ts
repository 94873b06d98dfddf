/** Gradients against central differences of the loss, in the engine that defines what is right. */
export { checkGradients, type GradientCheckOptions, type TensorCheck } from "../reference/check-gradients.js";
