import type { Network } from "../network.js";

/**
 * Four layers for pictures of 32x32, as the paper compares ReLU with tanh on (section 3.1, figure 1). The paper doesn't
 * give its layers; these are those of the CIFAR-10 networks of four layers that the same author published beside the
 * source of 2012 (three convolutions of 32, 32 and 64 maps, one maximum and two average pools, 19 % test error).
 */
export const cifar: Network = {
  name: "cifar",
  input: { channels: 3, size: 32 },
  layers: [
    { kind: "convolution", name: "conv1", filters: 32, size: 5, stride: 1, padding: 2, groups: 1 },
    { kind: "relu", name: "relu1" },
    { kind: "max-pool", name: "pool1", size: 3, stride: 2 },
    { kind: "convolution", name: "conv2", filters: 32, size: 5, stride: 1, padding: 2, groups: 1 },
    { kind: "relu", name: "relu2" },
    { kind: "average-pool", name: "pool2", size: 3, stride: 2 },
    { kind: "convolution", name: "conv3", filters: 64, size: 5, stride: 1, padding: 2, groups: 1 },
    { kind: "relu", name: "relu3" },
    { kind: "average-pool", name: "pool3", size: 3, stride: 2 },
    { kind: "fully-connected", name: "fc4", outputs: 10 },
  ],
};
