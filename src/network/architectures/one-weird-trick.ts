import type { Network } from "../network.js";

/**
 * The single-tower network of Krizhevsky, "One weird trick for parallelizing convolutional neural networks" (2014),
 * as torchvision ships it: fewer maps, no groups, no response normalisation, 224x224 with padding 2, dropout before
 * the fully connected layers. (torchvision's adaptive pooling to 6x6 changes nothing at this size and is left out.)
 */
export const oneWeirdTrick: Network = {
  name: "one-weird-trick",
  input: { channels: 3, size: 224 },
  layers: [
    { kind: "convolution", name: "conv1", filters: 64, size: 11, stride: 4, padding: 2, groups: 1 },
    { kind: "relu", name: "relu1" },
    { kind: "max-pool", name: "pool1", size: 3, stride: 2 },
    { kind: "convolution", name: "conv2", filters: 192, size: 5, stride: 1, padding: 2, groups: 1 },
    { kind: "relu", name: "relu2" },
    { kind: "max-pool", name: "pool2", size: 3, stride: 2 },
    { kind: "convolution", name: "conv3", filters: 384, size: 3, stride: 1, padding: 1, groups: 1 },
    { kind: "relu", name: "relu3" },
    { kind: "convolution", name: "conv4", filters: 256, size: 3, stride: 1, padding: 1, groups: 1 },
    { kind: "relu", name: "relu4" },
    { kind: "convolution", name: "conv5", filters: 256, size: 3, stride: 1, padding: 1, groups: 1 },
    { kind: "relu", name: "relu5" },
    { kind: "max-pool", name: "pool5", size: 3, stride: 2 },
    { kind: "dropout", name: "drop5", rate: 0.5 },
    { kind: "fully-connected", name: "fc6", outputs: 4096 },
    { kind: "relu", name: "relu6" },
    { kind: "dropout", name: "drop6", rate: 0.5 },
    { kind: "fully-connected", name: "fc7", outputs: 4096 },
    { kind: "relu", name: "relu7" },
    { kind: "fully-connected", name: "fc8", outputs: 1000 },
  ],
};
