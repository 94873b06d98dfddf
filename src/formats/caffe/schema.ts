import { codec, type PackedFloats } from "../protobuf.js";

/**
 * What is read of Caffe's messages, with the field numbers of its caffe.proto. Files of before 2014 have `layers`
 * (V1), later ones `layer`. Packed floats are declared as bytes: see protobuf.ts.
 */
const schema = `
syntax = "proto2";

message BlobShape { repeated int64 dim = 1 [packed = true]; }

message BlobProto {
  optional int32 num = 1 [default = 0];
  optional int32 channels = 2 [default = 0];
  optional int32 height = 3 [default = 0];
  optional int32 width = 4 [default = 0];
  repeated bytes data = 5;
  optional BlobShape shape = 7;
  repeated bytes double_data = 8;
}

message NetParameter {
  optional string name = 1;
  repeated V1LayerParameter layers = 2;
  repeated int32 input_dim = 4;
  repeated BlobShape input_shape = 8;
  repeated LayerParameter layer = 100;
}

message LayerParameter {
  optional string name = 1;
  optional string type = 2;
  repeated BlobProto blobs = 7;
  optional TransformationParameter transform_param = 100;
  optional ConvolutionParameter convolution_param = 106;
  optional DropoutParameter dropout_param = 108;
  optional InnerProductParameter inner_product_param = 117;
  optional LRNParameter lrn_param = 118;
  optional PoolingParameter pooling_param = 121;
  optional ReLUParameter relu_param = 123;
  optional InputParameter input_param = 143;
}

message V1LayerParameter {
  optional string name = 4;
  optional int32 type = 5;
  repeated BlobProto blobs = 6;
  optional ConvolutionParameter convolution_param = 10;
  optional DataParameter data_param = 11;
  optional DropoutParameter dropout_param = 12;
  optional InnerProductParameter inner_product_param = 17;
  optional LRNParameter lrn_param = 18;
  optional PoolingParameter pooling_param = 19;
  optional ReLUParameter relu_param = 30;
  optional TransformationParameter transform_param = 36;
}

message TransformationParameter {
  optional float scale = 1 [default = 1];
  optional uint32 crop_size = 3 [default = 0];
  repeated float mean_value = 5;
}

message DataParameter { optional uint32 crop_size = 5 [default = 0]; }
message InputParameter { repeated BlobShape shape = 1; }

message ConvolutionParameter {
  optional uint32 num_output = 1;
  optional bool bias_term = 2 [default = true];
  repeated uint32 pad = 3;
  repeated uint32 kernel_size = 4;
  optional uint32 group = 5 [default = 1];
  repeated uint32 stride = 6;
  optional uint32 pad_h = 9 [default = 0];
  optional uint32 pad_w = 10 [default = 0];
  optional uint32 kernel_h = 11;
  optional uint32 kernel_w = 12;
  optional uint32 stride_h = 13;
  optional uint32 stride_w = 14;
  optional int32 axis = 16 [default = 1];
  repeated uint32 dilation = 18;
}

message ReLUParameter { optional float negative_slope = 1 [default = 0]; }

message DropoutParameter { optional float dropout_ratio = 1 [default = 0.5]; }

message InnerProductParameter {
  optional uint32 num_output = 1;
  optional bool bias_term = 2 [default = true];
  optional int32 axis = 5 [default = 1];
  optional bool transpose = 6 [default = false];
}

message LRNParameter {
  optional uint32 local_size = 1 [default = 5];
  optional float alpha = 2 [default = 1];
  optional float beta = 3 [default = 0.75];
  optional int32 norm_region = 4 [default = 0];
  optional float k = 5 [default = 1];
}

message PoolingParameter {
  optional int32 pool = 1 [default = 0];
  optional uint32 kernel_size = 2 [default = 0];
  optional uint32 stride = 3 [default = 1];
  optional uint32 pad = 4 [default = 0];
  optional uint32 kernel_h = 5 [default = 0];
  optional uint32 kernel_w = 6 [default = 0];
  optional uint32 stride_h = 7 [default = 0];
  optional uint32 stride_w = 8 [default = 0];
  optional uint32 pad_h = 9 [default = 0];
  optional uint32 pad_w = 10 [default = 0];
  optional bool global_pooling = 12 [default = false];
  optional int32 round_mode = 13 [default = 0];
}
`;

export interface BlobShape {
  readonly dim: readonly number[];
}

/** Numbers with their shape, which old files give as four lengths. */
export interface Blob {
  readonly num: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly shape: BlobShape | null;
  readonly data: PackedFloats;
  readonly double_data: PackedFloats;
}

export interface Layer {
  readonly name: string;
  /** A word; a number in old files. */
  readonly type: string | number;
  readonly blobs: readonly Blob[];
  readonly convolution_param: {
    readonly num_output: number;
    readonly bias_term: boolean;
    readonly pad: readonly number[];
    readonly kernel_size: readonly number[];
    readonly group: number;
    readonly stride: readonly number[];
    readonly pad_h: number;
    readonly pad_w: number;
    readonly kernel_h: number;
    readonly kernel_w: number;
    readonly stride_h: number;
    readonly stride_w: number;
    readonly axis: number;
    readonly dilation: readonly number[];
  } | null;
  readonly relu_param: { readonly negative_slope: number } | null;
  readonly dropout_param: { readonly dropout_ratio: number } | null;
  readonly inner_product_param: {
    readonly num_output: number;
    readonly bias_term: boolean;
    readonly axis: number;
    readonly transpose: boolean;
  } | null;
  readonly lrn_param: {
    readonly local_size: number;
    readonly alpha: number;
    readonly beta: number;
    /** 0 across channels, 1 within. */
    readonly norm_region: number;
    readonly k: number;
  } | null;
  readonly pooling_param: {
    /** 0 is the maximum. */
    readonly pool: number;
    readonly kernel_size: number;
    readonly stride: number;
    readonly pad: number;
    readonly kernel_h: number;
    readonly kernel_w: number;
    readonly stride_h: number;
    readonly stride_w: number;
    readonly pad_h: number;
    readonly pad_w: number;
    readonly global_pooling: boolean;
    /** 0 rounds the output's size up, 1 down. */
    readonly round_mode: number;
  } | null;
  readonly transform_param: {
    readonly scale: number;
    readonly crop_size: number;
    /** Blue, green, red; or one for all. */
    readonly mean_value: readonly number[];
  } | null;
  readonly data_param?: { readonly crop_size: number } | null;
  readonly input_param?: { readonly shape: readonly BlobShape[] } | null;
}

export interface Net {
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly layer: readonly Layer[];
  readonly input_dim: readonly number[];
  readonly input_shape: readonly BlobShape[];
}

export const netCodec = codec<Net>(schema, "NetParameter", "caffemodel");
export const blobCodec = codec<Blob>(schema, "BlobProto", "binaryproto");
