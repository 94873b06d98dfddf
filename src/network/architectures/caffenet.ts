import type { Network } from "../network.js";

/** Caffe's bvlc_reference_caffenet: as its bvlc_alexnet, but pooling comes before response normalisation. */
export const caffenet: Network = {
  name: "caffenet",
  input: { channels: 3, size: 227 },
  layers: [
    { kind: "convolution", name: "conv1", filters: 96, size: 11, stride: 4, padding: 0, groups: 1 },
    { kind: "relu", name: "relu1" },
    { kind: "max-pool", name: "pool1", size: 3, stride: 2 },
    { kind: "local-response-norm", name: "norm1", k: 1, n: 5, alpha: 1e-4 / 5, beta: 0.75 },
    { kind: "convolution", name: "conv2", filters: 256, size: 5, stride: 1, padding: 2, groups: 2 },
    { kind: "relu", name: "relu2" },
    { kind: "max-pool", name: "pool2", size: 3, stride: 2 },
    { kind: "local-response-norm", name: "norm2", k: 1, n: 5, alpha: 1e-4 / 5, beta: 0.75 },
    { kind: "convolution", name: "conv3", filters: 384, size: 3, stride: 1, padding: 1, groups: 1 },
    { kind: "relu", name: "relu3" },
    { kind: "convolution", name: "conv4", filters: 384, size: 3, stride: 1, padding: 1, groups: 2 },
    { kind: "relu", name: "relu4" },
    { kind: "convolution", name: "conv5", filters: 256, size: 3, stride: 1, padding: 1, groups: 2 },
    { kind: "relu", name: "relu5" },
    { kind: "max-pool", name: "pool5", size: 3, stride: 2 },
    { kind: "fully-connected", name: "fc6", outputs: 4096 },
    { kind: "relu", name: "relu6" },
    { kind: "dropout", name: "drop6", rate: 0.5 },
    { kind: "fully-connected", name: "fc7", outputs: 4096 },
    { kind: "relu", name: "relu7" },
    { kind: "dropout", name: "drop7", rate: 0.5 },
    { kind: "fully-connected", name: "fc8", outputs: 1000 },
  ],
};
