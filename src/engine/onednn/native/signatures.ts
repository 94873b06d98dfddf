import type { Signatures, StatusSignatures } from "../../../system/native/signatures.js";

/**
 * Every function, constant and structure of oneDNN that this engine uses, as its headers declare them:
 * `bench/run bindings onednn` compares these tables with headers of version 2 or 3.
 */

const P = "void *";

/** The same in both major versions; all give a status. */
export const commonCalls = {
  /** engine, kind, index */
  dnnl_engine_create: [P, "int", "size_t"],
  dnnl_engine_destroy: [P],
  /** stream, engine, flags */
  dnnl_stream_create: [P, P, "uint"],
  dnnl_stream_destroy: [P],
  dnnl_stream_wait: [P],
  /** memory, descriptor, engine, address */
  dnnl_memory_create: [P, P, P, P],
  dnnl_memory_destroy: [P],
  dnnl_primitive_create: [P, P],
  dnnl_primitive_destroy: [P],
  /** primitive, stream, count, arguments */
  dnnl_primitive_execute: [P, P, "int", P],
  dnnl_primitive_desc_destroy: [P],
  /** descriptor, query, index, result */
  dnnl_primitive_desc_query: [P, "int", "int", P],
  dnnl_primitive_attr_create: [P],
  dnnl_primitive_attr_destroy: [P],
  dnnl_primitive_attr_set_scratchpad_mode: [P, "int"],
  dnnl_primitive_attr_set_post_ops: [P, P],
  dnnl_post_ops_create: [P],
  dnnl_post_ops_destroy: [P],
  /** descriptor, source, its engine, destination, its engine, attributes */
  dnnl_reorder_primitive_desc_create: [P, P, P, P, P, P],
} as const satisfies StatusSignatures;

/** The same in both major versions; nobody checks what they give. */
export const commonAnswers = {
  dnnl_version: [P],
  dnnl_get_effective_cpu_isa: ["int"],
  /** descriptor, query, index */
  dnnl_primitive_desc_query_md: [P, P, "int", "int"],
  dnnl_memory_desc_equal: ["int", P, P],
  dnnl_memory_desc_get_size: ["size_t", P],
} as const satisfies Signatures;

/**
 * Version 2: operations are described by plain structures, which `…_desc_init` fills and `dnnl_primitive_desc_create`
 * turns into primitive descriptors.
 */
export const version2Calls = {
  /** descriptor, count of dimensions, dimensions, number type, strides */
  dnnl_memory_desc_init_by_strides: [P, "int", P, "int", P],
  /** descriptor, count of dimensions, dimensions, number type, tag */
  dnnl_memory_desc_init_by_tag: [P, "int", P, "int", "int"],
  /** descriptor, whole, dimensions, offsets */
  dnnl_memory_desc_init_submemory: [P, P, P, P],
  /** operations, scale, algorithm, alpha, beta */
  dnnl_post_ops_append_eltwise: [P, "float", "int", "float", "float"],
  dnnl_post_ops_append_sum: [P, "float"],
  /** descriptor, operation, attributes, engine, forward descriptor */
  dnnl_primitive_desc_create: [P, P, P, P, P],
  /** operation, propagation, algorithm, source, weights, bias, destination, strides, padding before and after */
  dnnl_convolution_forward_desc_init: [P, "int", "int", P, P, P, P, P, P, P],
  dnnl_convolution_backward_data_desc_init: [P, "int", P, P, P, P, P, P],
  dnnl_convolution_backward_weights_desc_init: [P, "int", P, P, P, P, P, P, P],
  /** operation, propagation, source, weights, bias, destination */
  dnnl_inner_product_forward_desc_init: [P, "int", P, P, P, P],
  dnnl_inner_product_backward_data_desc_init: [P, P, P, P],
  dnnl_inner_product_backward_weights_desc_init: [P, P, P, P, P],
  /** operation, propagation, algorithm, source, destination, strides, window, padding before and after */
  dnnl_pooling_forward_desc_init: [P, "int", "int", P, P, P, P, P, P],
  dnnl_pooling_backward_desc_init: [P, "int", P, P, P, P, P, P],
  /** operation, propagation, algorithm, data, window, alpha, beta, k */
  dnnl_lrn_forward_desc_init: [P, "int", "int", P, "int64", "float", "float", "float"],
  dnnl_lrn_backward_desc_init: [P, "int", P, P, "int64", "float", "float", "float"],
  /** operation, propagation, algorithm, data, alpha, beta */
  dnnl_eltwise_forward_desc_init: [P, "int", "int", P, "float", "float"],
  dnnl_eltwise_backward_desc_init: [P, "int", P, P, "float", "float"],
  /** operation, source, weights, bias, destination */
  dnnl_matmul_desc_init: [P, P, P, P, P],
  /** descriptor, destination, count, scales, sources, attributes, engine */
  dnnl_sum_primitive_desc_create: [P, P, "int", P, P, P, P],
} as const satisfies StatusSignatures;

/**
 * Version 3: memory descriptors are objects of the library, and each operation has one function that creates its
 * primitive descriptor. Those begin with: descriptor, engine.
 */
export const version3Calls = {
  /** descriptor, count of dimensions, dimensions, number type, strides */
  dnnl_memory_desc_create_with_strides: [P, "int", P, "int", P],
  /** descriptor, count of dimensions, dimensions, number type, tag */
  dnnl_memory_desc_create_with_tag: [P, "int", P, "int", "int"],
  /** descriptor, whole, dimensions, offsets */
  dnnl_memory_desc_create_submemory: [P, P, P, P],
  dnnl_memory_desc_destroy: [P],
  /** descriptor, query, result */
  dnnl_memory_desc_query: [P, "int", P],
  /** operations, algorithm, alpha, beta */
  dnnl_post_ops_append_eltwise: [P, "int", "float", "float"],
  /** operations, scale, zero point, number type */
  dnnl_post_ops_append_sum: [P, "float", "int", "int"],
  /** …, propagation, algorithm, source, weights, bias, destination, strides, dilation, padding twice, attributes */
  dnnl_convolution_forward_primitive_desc_create: [P, P, "int", "int", P, P, P, P, P, P, P, P, P],
  /** …, algorithm, source, weights, destination, strides, dilation, padding twice, forward descriptor, attributes */
  dnnl_convolution_backward_data_primitive_desc_create: [P, P, "int", P, P, P, P, P, P, P, P, P],
  dnnl_convolution_backward_weights_primitive_desc_create: [P, P, "int", P, P, P, P, P, P, P, P, P, P],
  /** …, propagation, source, weights, bias, destination, attributes */
  dnnl_inner_product_forward_primitive_desc_create: [P, P, "int", P, P, P, P, P],
  dnnl_inner_product_backward_data_primitive_desc_create: [P, P, P, P, P, P, P],
  dnnl_inner_product_backward_weights_primitive_desc_create: [P, P, P, P, P, P, P, P],
  /** …, propagation, algorithm, source, destination, strides, window, dilation, padding twice, attributes */
  dnnl_pooling_forward_primitive_desc_create: [P, P, "int", "int", P, P, P, P, P, P, P, P],
  dnnl_pooling_backward_primitive_desc_create: [P, P, "int", P, P, P, P, P, P, P, P, P],
  /** …, propagation, algorithm, source, destination, window, alpha, beta, k, attributes */
  dnnl_lrn_forward_primitive_desc_create: [P, P, "int", "int", P, P, "int64", "float", "float", "float", P],
  dnnl_lrn_backward_primitive_desc_create: [P, P, "int", P, P, P, "int64", "float", "float", "float", P, P],
  /** …, propagation, algorithm, source, destination, alpha, beta, attributes */
  dnnl_eltwise_forward_primitive_desc_create: [P, P, "int", "int", P, P, "float", "float", P],
  dnnl_eltwise_backward_primitive_desc_create: [P, P, "int", P, P, P, "float", "float", P, P],
  /** …, source, weights, bias, destination, attributes */
  dnnl_matmul_primitive_desc_create: [P, P, P, P, P, P, P],
  /** …, destination, count, scales, sources, attributes */
  dnnl_sum_primitive_desc_create: [P, P, P, "int", P, P, P],
} as const satisfies StatusSignatures;

/** Constants that are the same in both major versions. */
export const DNNL = {
  dnnl_success: 0,
  dnnl_out_of_memory: 1,
  dnnl_invalid_arguments: 2,
  dnnl_unimplemented: 3,
  dnnl_runtime_error: 5,
  dnnl_not_required: 6,
  dnnl_cpu: 1,
  dnnl_stream_in_order: 1,
  dnnl_bf16: 2,
  dnnl_f32: 3,
  dnnl_u8: 6,
  dnnl_format_tag_any: 1,
  dnnl_forward_training: 64,
  dnnl_forward_inference: 96,
  dnnl_convolution_direct: 1,
  dnnl_convolution_winograd: 2,
  dnnl_pooling_max: 0x1ff,
  dnnl_pooling_avg_exclude_padding: 0x3ff,
  dnnl_lrn_across_channels: 0xaff,
  dnnl_scratchpad_mode_user: 1,
  dnnl_query_impl_info_str: 8,
  dnnl_query_src_md: 129,
  dnnl_query_diff_src_md: 130,
  dnnl_query_weights_md: 131,
  dnnl_query_diff_weights_md: 132,
  dnnl_query_dst_md: 133,
  dnnl_query_diff_dst_md: 134,
  dnnl_query_workspace_md: 135,
  dnnl_query_scratchpad_md: 136,
  DNNL_ARG_SRC: 1,
  DNNL_ARG_SRC_1: 2,
  DNNL_ARG_DST: 17,
  DNNL_ARG_WEIGHTS: 33,
  DNNL_ARG_BIAS: 41,
  DNNL_ARG_WORKSPACE: 64,
  DNNL_ARG_SCRATCHPAD: 80,
  DNNL_ARG_DIFF_SRC: 129,
  DNNL_ARG_DIFF_DST: 145,
  DNNL_ARG_DIFF_WEIGHTS: 161,
  DNNL_ARG_DIFF_BIAS: 169,
  DNNL_ARG_MULTIPLE_SRC: 1024,
} as const;

/** Constants of version 2 alone. */
export const DNNL_2 = {
  dnnl_eltwise_relu: 0x1f,
  dnnl_eltwise_tanh: 0x2f,
  dnnl_aBcd16b: 69,
} as const;

/** Constants of version 3 alone. */
export const DNNL_3 = {
  dnnl_eltwise_relu: 0x20,
  dnnl_eltwise_tanh: 0x21,
  dnnl_aBcd16b: 78,
  dnnl_query_data_type: 258,
  dnnl_data_type_undef: 0,
} as const;

/** Instruction sets of version 2, each with the bits of those that it contains. */
export const instructionSets2 = {
  dnnl_cpu_isa_sse41: 0x1,
  dnnl_cpu_isa_avx: 0x3,
  dnnl_cpu_isa_avx2: 0x7,
  dnnl_cpu_isa_avx2_vnni: 0x407,
  dnnl_cpu_isa_avx512_core: 0x27,
  dnnl_cpu_isa_avx512_core_vnni: 0x67,
  dnnl_cpu_isa_avx512_core_bf16: 0xe7,
  dnnl_cpu_isa_avx512_core_amx: 0x3e7,
} as const;
export type InstructionSets = Readonly<Record<keyof typeof instructionSets2, number>>;

/** Instruction sets of version 3, which gives two of them other bits. */
export const instructionSets3 = {
  ...instructionSets2,
  dnnl_cpu_isa_avx2_vnni: 0xf,
  dnnl_cpu_isa_avx512_core_amx: 0xfef,
} as const satisfies InstructionSets;

/** Version 2: bytes of the structures that this engine allocates and the library fills. */
export const version2Layouts = {
  dnnl_memory_desc_t: { size: 696, fields: { data_type: 104 } },
  dnnl_convolution_desc_t: { size: 5976, fields: {} },
  dnnl_inner_product_desc_t: { size: 5584, fields: {} },
  dnnl_pooling_desc_t: { size: 3192, fields: {} },
  dnnl_lrn_desc_t: { size: 1432, fields: {} },
  dnnl_eltwise_desc_t: { size: 1416, fields: {} },
  dnnl_matmul_desc_t: { size: 2800, fields: {} },
} as const;

/** Structures of both versions that this engine writes or reads itself, with the places of their fields in bytes. */
export const commonLayouts = {
  dnnl_exec_arg_t: { size: 16, fields: { arg: 0, memory: 8 } },
  dnnl_version_t: { size: 32, fields: { major: 0, minor: 4, patch: 8 } },
} as const;
