import protobuf from "protobufjs";
import type { Model } from "#src/model/model.js";
import type { Layer } from "#src/network/network.js";
import { parameterTable, parameterView } from "#src/network/parameters.js";
import { inferShapes, type Shape } from "#src/network/shapes.js";

/** Writes files as Caffe does, with messages declared as its own caffe.proto declares them. */
const root = protobuf.parse(
  `syntax = "proto2";
  message BlobShape { repeated int64 dim = 1 [packed = true]; }
  message BlobProto {
    optional BlobShape shape = 7;
    repeated float data = 5 [packed = true];
    repeated float diff = 6 [packed = true];
    repeated double double_data = 8 [packed = true];
    optional int32 num = 1 [default = 0];
    optional int32 channels = 2 [default = 0];
    optional int32 height = 3 [default = 0];
    optional int32 width = 4 [default = 0];
  }
  message FillerParameter { optional string type = 1 [default = 'constant']; optional float std = 6 [default = 1]; }
  message NetParameter {
    optional string name = 1;
    repeated string input = 3;
    repeated BlobShape input_shape = 8;
    repeated int32 input_dim = 4;
    optional bool force_backward = 5 [default = false];
    repeated LayerParameter layer = 100;
    repeated V1LayerParameter layers = 2;
  }
  message ParamSpec { optional float lr_mult = 3 [default = 1.0]; optional float decay_mult = 4 [default = 1.0]; }
  message LayerParameter {
    optional string name = 1;
    optional string type = 2;
    repeated string bottom = 3;
    repeated string top = 4;
    repeated float loss_weight = 5;
    repeated ParamSpec param = 6;
    repeated BlobProto blobs = 7;
    optional TransformationParameter transform_param = 100;
    optional ConvolutionParameter convolution_param = 106;
    optional DropoutParameter dropout_param = 108;
    optional InnerProductParameter inner_product_param = 117;
    optional LRNParameter lrn_param = 118;
    optional PoolingParameter pooling_param = 121;
    optional ReLUParameter relu_param = 123;
    optional PowerParameter power_param = 122;
  }
  message ReLUParameter { optional float negative_slope = 1 [default = 0]; optional int32 engine = 2; }
  message PowerParameter { optional float power = 1; }
  message V1LayerParameter {
    repeated string bottom = 2;
    repeated string top = 3;
    optional string name = 4;
    enum LayerType { NONE = 0; CONVOLUTION = 4; DATA = 5; DROPOUT = 6; INNER_PRODUCT = 14; LRN = 15; POOLING = 17;
      RELU = 18; SOFTMAX = 20; SIGMOID = 19; TANH = 23; }
    optional LayerType type = 5;
    repeated BlobProto blobs = 6;
    repeated float blobs_lr = 7;
    repeated float weight_decay = 8;
    optional ConvolutionParameter convolution_param = 10;
    optional DropoutParameter dropout_param = 12;
    optional InnerProductParameter inner_product_param = 17;
    optional LRNParameter lrn_param = 18;
    optional PoolingParameter pooling_param = 19;
    optional ReLUParameter relu_param = 30;
  }
  message TransformationParameter {
    optional float scale = 1 [default = 1];
    optional bool mirror = 2 [default = false];
    optional uint32 crop_size = 3 [default = 0];
    optional string mean_file = 4;
    repeated float mean_value = 5;
  }
  message ConvolutionParameter {
    optional uint32 num_output = 1;
    optional bool bias_term = 2 [default = true];
    repeated uint32 pad = 3;
    repeated uint32 kernel_size = 4;
    repeated uint32 stride = 6;
    optional uint32 group = 5 [default = 1];
    optional FillerParameter weight_filler = 7;
    optional int32 engine = 15;
    optional int32 axis = 16;
    optional float of_a_fork = 99;
  }
  message DropoutParameter { optional float dropout_ratio = 1 [default = 0.5]; }
  message InnerProductParameter { optional uint32 num_output = 1; optional bool bias_term = 2 [default = true]; }
  message LRNParameter {
    optional uint32 local_size = 1 [default = 5];
    optional float alpha = 2 [default = 1.];
    optional float beta = 3 [default = 0.75];
    enum NormRegion { ACROSS_CHANNELS = 0; WITHIN_CHANNEL = 1; }
    optional NormRegion norm_region = 4 [default = ACROSS_CHANNELS];
    optional float k = 5 [default = 1.];
  }
  message PoolingParameter {
    enum PoolMethod { MAX = 0; AVE = 1; STOCHASTIC = 2; }
    optional PoolMethod pool = 1 [default = MAX];
    optional uint32 pad = 4 [default = 0];
    optional uint32 kernel_size = 2;
    optional uint32 stride = 3 [default = 1];
    optional uint32 kernel_h = 5;
    optional uint32 kernel_w = 6;
    optional uint32 stride_h = 7;
    optional uint32 stride_w = 8;
    optional uint32 pad_h = 9;
    optional int32 round_mode = 13;
  }`,
  { keepCase: true },
).root;

export function encodeMessage(type: string, message: object): Uint8Array {
  const kind = root.lookupType(type);
  return kind.encode(kind.fromObject(message)).finish();
}

/** A layer of the newer style; those of 2013 number their types. */
export type CaffeLayer = { readonly name: string; readonly type: string } & Readonly<Record<string, unknown>>;

export type Style = "layers of 2013" | "layer";

const numbers: Readonly<Record<string, string>> = {
  Convolution: "CONVOLUTION",
  InnerProduct: "INNER_PRODUCT",
  LRN: "LRN",
  Pooling: "POOLING",
  ReLU: "RELU",
  TanH: "TANH",
  Dropout: "DROPOUT",
  Softmax: "SOFTMAX",
  Sigmoid: "SIGMOID",
};

/** A caffemodel of `model` that takes blue, green, red. @param changes by layer, what is said otherwise of it */
export function encodeCaffemodel(
  { network, parameters }: Model,
  style: Style,
  more: readonly CaffeLayer[] = [],
  changes: Readonly<Record<string, object>> = {},
): Uint8Array {
  const old = style === "layers of 2013";
  const table = parameterTable(network);
  const first = network.layers.find(({ kind }) => kind === "convolution")?.name;
  const blobs = (layer: Layer): object[] =>
    table
      .filter((parameter) => parameter.layer === layer.name)
      .map((parameter) => {
        const values = [...parameterView(parameters, parameter)];
        const turned = layer.name === first && parameter.role === "weight";
        const data = turned ? swapped(values, parameter.shape) : values;
        const [width = 1, height = 1, channels = 1, num = 1] = [...parameter.shape].reverse();
        return old ? { num, channels, height, width, data } : { shape: { dim: parameter.shape }, data };
      });
  const layers = [
    ...inferShapes(network).map(({ layer, input }) => ({
      ...describe(layer, input),
      blobs: blobs(layer),
      ...changes[layer.name],
    })),
    softmax,
    ...more,
  ].map((layer) => ({ ...layer, type: old ? numbers[layer.type] : layer.type }));
  return encodeMessage("NetParameter", {
    name: "AlexNet",
    ...(old ? { input: ["data"], input_dim: [10, 3, network.input.size, network.input.size] } : {}),
    [old ? "layers" : "layer"]: layers,
  });
}

const softmax = { name: "prob", type: "Softmax", bottom: ["fc8"], top: ["prob"] };

function describe(layer: Layer, input: Shape): CaffeLayer {
  const { name } = layer;
  switch (layer.kind) {
    case "convolution": {
      const { filters, size, stride, padding, groups } = layer;
      const sizes = {
        kernel_size: [size],
        ...(stride === 1 ? {} : { stride: [stride] }),
        ...(padding ? { pad: [padding] } : {}),
      };
      const filler = { type: "gaussian", std: 0.01 };
      return {
        name,
        type: "Convolution",
        convolution_param: { num_output: filters, group: groups, ...sizes, weight_filler: filler },
      };
    }
    case "fully-connected":
      return { name, type: "InnerProduct", inner_product_param: { num_output: layer.outputs } };
    case "local-response-norm":
      return {
        name,
        type: "LRN",
        lrn_param: { local_size: layer.n, alpha: layer.alpha * layer.n, beta: layer.beta, k: layer.k },
      };
    case "max-pool":
    case "average-pool":
      return {
        name,
        type: "Pooling",
        pooling_param: {
          pool: layer.kind === "max-pool" ? "MAX" : "AVE",
          kernel_size: layer.size,
          stride: layer.stride,
          ...((input.height - layer.size) % layer.stride === 0 ? {} : { round_mode: 1 }), // Caffe would round up
        },
      };
    case "dropout":
      return { name, type: "Dropout", dropout_param: { dropout_ratio: layer.rate } };
    case "relu":
      return { name, type: "ReLU" };
    case "tanh":
      return { name, type: "TanH" };
  }
}

/** Filters' first and last channel exchanged. */
function swapped(values: readonly number[], [, channels, height, width]: readonly number[]): number[] {
  const map = height * width;
  return values.map((_, i) => {
    const [filter, channel, place] = [Math.floor(i / (channels * map)), Math.floor(i / map) % channels, i % map];
    return values[(filter * channels + (channels - 1 - channel)) * map + place];
  });
}

/** (256, 256, 3) in red, green, blue as Caffe's (1, 3, 256, 256) in blue, green, red. */
export function encodeMean(mean: Float32Array): Uint8Array {
  const data = Array.from({ length: mean.length }, (_, i) => mean[(i % 65536) * 3 + (2 - Math.floor(i / 65536))]);
  return encodeMessage("BlobProto", { num: 1, channels: 3, height: 256, width: 256, data });
}
