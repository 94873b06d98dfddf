import type { NativeLibrary } from "../../../system/native/library.js";
import { addressOf, memoryAt } from "../../../system/native/memory.js";
import type { CheckedFunctions } from "../../../system/native/signatures.js";
import {
  type Attributes,
  type Context,
  checkStatus,
  convolutionAlgorithms,
  type Descriptor,
  denseStrides,
  dimensions,
  numberTypeOf,
  numberTypes,
  type OperationBindings,
  ownAttributes,
  ownDescriptor,
  type PrimitiveDescriptor,
  poolingAlgorithms,
  propagation,
  square,
} from "./bindings.js";
import { DNNL, DNNL_2, version2Calls, version2Layouts } from "./signatures.js";

/**
 * oneDNN 2.x: operations are described by plain structures, filled by `…_desc_init`, then turned into primitive
 * descriptors by one call. The structures' sizes are the same from 2.0 to 2.7.
 */
export function bindV2(library: NativeLibrary): (context: Context) => OperationBindings {
  const calls = library.bindChecked(version2Calls, checkStatus);
  return (context) => operations(calls, context);
}

const tags = { any: DNNL.dnnl_format_tag_any, "channels-by-16": DNNL_2.dnnl_aBcd16b } as const;

const pointwise = { relu: DNNL_2.dnnl_eltwise_relu, tanh: DNNL_2.dnnl_eltwise_tanh } as const;

const MEMORY_BYTES = version2Layouts.dnnl_memory_desc_t.size;

function operations(calls: CheckedFunctions<typeof version2Calls>, context: Context): OperationBindings {
  const { engine, owner, common } = context;

  /** A memory descriptor: memory of this process, which the library fills, and copies wherever it takes it. */
  const struct = (fill: (struct: Uint8Array) => void): Descriptor => {
    const bytes = new Uint8Array(MEMORY_BYTES);
    fill(bytes);
    return owner.adopt(
      "memory descriptor",
      () => addressOf(bytes),
      () => void bytes.fill(0), // until here it is referred to, and so stays where it is
    );
  };
  /** The descriptor of the operation that `init` writes to a structure of that kind. */
  const describe = (
    { size }: { readonly size: number },
    init: (operation: Uint8Array) => void,
    attributes: Attributes,
    forward: PrimitiveDescriptor | null,
  ): PrimitiveDescriptor => {
    const operation = new Uint8Array(size);
    init(operation);
    return ownDescriptor(context, (out) =>
      calls.dnnl_primitive_desc_create(out, operation, attributes, engine, forward),
    );
  };
  const {
    dnnl_convolution_desc_t: convolution,
    dnnl_inner_product_desc_t: innerProduct,
    dnnl_pooling_desc_t: pooling,
    dnnl_lrn_desc_t: lrn,
    dnnl_eltwise_desc_t: eltwise,
    dnnl_matmul_desc_t: matmul,
  } = version2Layouts;
  const none = square(0);

  return {
    descriptor: (dims, layout, type) =>
      struct((d) => {
        const { code } = numberTypes[type];
        const lengths = dimensions(dims);
        if (layout === "any" || layout === "channels-by-16")
          calls.dnnl_memory_desc_init_by_tag(d, dims.length, lengths, code, tags[layout]);
        else calls.dnnl_memory_desc_init_by_strides(d, dims.length, lengths, code, denseStrides(dims, layout));
      }),
    strided: (dims, strides, type) =>
      struct((d) =>
        calls.dnnl_memory_desc_init_by_strides(
          d,
          dims.length,
          dimensions(dims),
          numberTypes[type].code,
          dimensions(strides),
        ),
      ),
    numberType: ({ address }) =>
      numberTypeOf(
        new DataView(memoryAt(address, MEMORY_BYTES)).getInt32(
          version2Layouts.dnnl_memory_desc_t.fields.data_type,
          true,
        ),
      ),
    part: (whole, dims, offsets) =>
      struct((d) => calls.dnnl_memory_desc_init_submemory(d, whole, dimensions(dims), dimensions(offsets))),
    attributes({ relu, adds }) {
      if (adds) return ownAttributes(context, (after) => calls.dnnl_post_ops_append_sum(after, 1));
      if (!relu) return ownAttributes(context, undefined);
      return ownAttributes(context, (after) =>
        calls.dnnl_post_ops_append_eltwise(after, 1, DNNL_2.dnnl_eltwise_relu, 0, 0),
      );
    },
    convolutionForward(s, training, attributes) {
      const [kind, algorithm] = [propagation(training), convolutionAlgorithms[s.algorithm]];
      const [stride, pad] = [square(s.stride), square(s.padding)];
      return describe(
        convolution,
        (d) =>
          calls.dnnl_convolution_forward_desc_init(
            d,
            kind,
            algorithm,
            s.src,
            s.weights,
            s.bias,
            s.dst,
            stride,
            pad,
            pad,
          ),
        attributes,
        null,
      );
    },
    convolutionBackwardData(s, attributes, forward) {
      const algorithm = convolutionAlgorithms[s.algorithm];
      const [stride, pad] = [square(s.stride), square(s.padding)];
      return describe(
        convolution,
        (d) => calls.dnnl_convolution_backward_data_desc_init(d, algorithm, s.src, s.weights, s.dst, stride, pad, pad),
        attributes,
        forward,
      );
    },
    convolutionBackwardWeights(s, attributes, forward) {
      const algorithm = convolutionAlgorithms[s.algorithm];
      const [stride, pad] = [square(s.stride), square(s.padding)];
      return describe(
        convolution,
        (d) =>
          calls.dnnl_convolution_backward_weights_desc_init(
            d,
            algorithm,
            s.src,
            s.weights,
            s.bias,
            s.dst,
            stride,
            pad,
            pad,
          ),
        attributes,
        forward,
      );
    },
    innerProductForward: (s, training, attributes) =>
      describe(
        innerProduct,
        (d) => calls.dnnl_inner_product_forward_desc_init(d, propagation(training), s.src, s.weights, s.bias, s.dst),
        attributes,
        null,
      ),
    innerProductBackwardData: (s, attributes, forward) =>
      describe(
        innerProduct,
        (d) => calls.dnnl_inner_product_backward_data_desc_init(d, s.src, s.weights, s.dst),
        attributes,
        forward,
      ),
    innerProductBackwardWeights: (s, attributes, forward) =>
      describe(
        innerProduct,
        (d) => calls.dnnl_inner_product_backward_weights_desc_init(d, s.src, s.weights, s.bias, s.dst),
        attributes,
        forward,
      ),
    poolForward(s, training, attributes) {
      const [kind, algorithm] = [propagation(training), poolingAlgorithms[s.takes]];
      const [stride, size] = [square(s.stride), square(s.size)];
      return describe(
        pooling,
        (d) => calls.dnnl_pooling_forward_desc_init(d, kind, algorithm, s.src, s.dst, stride, size, none, none),
        attributes,
        null,
      );
    },
    poolBackward(s, attributes, forward) {
      const algorithm = poolingAlgorithms[s.takes];
      const [stride, size] = [square(s.stride), square(s.size)];
      return describe(
        pooling,
        (d) => calls.dnnl_pooling_backward_desc_init(d, algorithm, s.src, s.dst, stride, size, none, none),
        attributes,
        forward,
      );
    },
    lrnForward(s, training, attributes) {
      const [kind, algorithm] = [propagation(training), DNNL.dnnl_lrn_across_channels];
      return describe(
        lrn,
        (d) => calls.dnnl_lrn_forward_desc_init(d, kind, algorithm, s.data, s.n, s.alpha, s.beta, s.k),
        attributes,
        null,
      );
    },
    lrnBackward: (s, attributes, forward) =>
      describe(
        lrn,
        (d) =>
          calls.dnnl_lrn_backward_desc_init(
            d,
            DNNL.dnnl_lrn_across_channels,
            s.data,
            s.data,
            s.n,
            s.alpha,
            s.beta,
            s.k,
          ),
        attributes,
        forward,
      ),
    pointwiseForward: (what, data, training, attributes) =>
      describe(
        eltwise,
        (d) => calls.dnnl_eltwise_forward_desc_init(d, propagation(training), pointwise[what], data, 0, 0),
        attributes,
        null,
      ),
    pointwiseBackward: (what, data, diff, attributes, forward) =>
      describe(
        eltwise,
        (d) => calls.dnnl_eltwise_backward_desc_init(d, pointwise[what], diff, data, 0, 0),
        attributes,
        forward,
      ),
    matmul: (a, b, c, attributes) =>
      describe(matmul, (d) => calls.dnnl_matmul_desc_init(d, a, b, null, c), attributes, null),
    reorder: (from, to, attributes) =>
      ownDescriptor(context, (out) =>
        common.dnnl_reorder_primitive_desc_create(out, from, engine, to, engine, attributes),
      ),
    sum(descriptor, scales, attributes) {
      const source = new Uint8Array(memoryAt(descriptor.address, MEMORY_BYTES));
      const sources = new Uint8Array(MEMORY_BYTES * scales.length);
      scales.forEach((_, i) => {
        sources.set(source, i * MEMORY_BYTES);
      });
      const factors = Float32Array.from(scales);
      return ownDescriptor(context, (out) =>
        calls.dnnl_sum_primitive_desc_create(out, descriptor, scales.length, factors, sources, attributes, engine),
      );
    },
  };
}
