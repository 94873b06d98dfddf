import { codec } from "../protobuf.js";

/** What is written and read of ONNX's messages, with the field numbers of its onnx.proto. */
const schema = `
syntax = "proto3";

message ModelProto {
  int64 ir_version = 1;
  string producer_name = 2;
  string producer_version = 3;
  GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8;
  repeated StringStringEntryProto metadata_props = 14;
}

message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message StringStringEntryProto { string key = 1; string value = 2; }

message GraphProto {
  repeated NodeProto node = 1;
  string name = 2;
  repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
}

message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  string name = 3;
  string op_type = 4;
  repeated AttributeProto attribute = 5;
}

message AttributeProto {
  string name = 1;
  float f = 2;
  int64 i = 3;
  bytes s = 4;
  repeated int64 ints = 8;
  int32 type = 20;
}

message ValueInfoProto { string name = 1; TypeProto type = 2; }
message TypeProto { Tensor tensor_type = 1; message Tensor { int32 elem_type = 1; TensorShapeProto shape = 2; } }
message TensorShapeProto {
  repeated Dimension dim = 1;
  message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
}

message TensorProto {
  repeated int64 dims = 1;
  int32 data_type = 2;
  repeated bytes float_data = 4;
  string name = 8;
  bytes raw_data = 9;
  repeated StringStringEntryProto external_data = 13;
  int32 data_location = 14;
}
`;

/** The numbers of ONNX's element types. */
export const elementTypes = { float: 1, uint8: 2, int64: 7, float16: 10, double: 11, bfloat16: 16 } as const;

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data_type: number;
  readonly raw_data: Uint8Array;
}

/** With the fields that only reading knows. */
export interface ReadTensor extends OnnxTensor {
  /** Packed: see protobuf.ts. */
  readonly float_data: readonly Uint8Array[];
  /** 1 when the values lie in another file: where, by the keys location, offset and length. */
  readonly data_location: number;
  readonly external_data: readonly { readonly key: string; readonly value: string }[];
}

export interface OnnxAttribute {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly ints?: readonly number[];
}

export interface OnnxNode {
  readonly name: string;
  readonly op_type: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly OnnxAttribute[];
}

export interface OnnxGraph {
  readonly node: readonly OnnxNode[];
  readonly initializer: readonly ReadTensor[];
  readonly input: readonly { readonly name: string }[];
}

interface OnnxFile {
  readonly graph: OnnxGraph | null;
  readonly metadata_props: readonly { readonly key: string; readonly value: string }[];
}

export const onnxCodec = codec<OnnxFile>(schema, "ModelProto", "ONNX");
