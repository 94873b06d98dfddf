import type { NativeLibrary } from "../../../system/native/library.js";
import type { CheckedFunctions } from "../../../system/native/signatures.js";
import {
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
  poolingAlgorithms,
  propagation,
  square,
} from "./bindings.js";
import { DNNL, DNNL_3, version3Calls } from "./signatures.js";

/**
 * oneDNN 3.x: descriptors are objects of the library; each operation has one function that creates its primitive
 * descriptor.
 */
export function bindV3(library: NativeLibrary): (context: Context) => OperationBindings {
  const calls = library.bindChecked(version3Calls, checkStatus);
  return (context) => operations(calls, context);
}

const pointwise = { relu: DNNL_3.dnnl_eltwise_relu, tanh: DNNL_3.dnnl_eltwise_tanh } as const;

const tags = { any: DNNL.dnnl_format_tag_any, "channels-by-16": DNNL_3.dnnl_aBcd16b } as const;

function operations(calls: CheckedFunctions<typeof version3Calls>, context: Context): OperationBindings {
  const { engine, owner, common } = context;
  const describe = (create: (out: BigUint64Array) => void): Descriptor =>
    owner.create("memory descriptor", create, calls.dnnl_memory_desc_destroy);
  const operation = (create: (out: BigUint64Array) => void) => ownDescriptor(context, create);
  const none = square(0); // padding, or dilation beyond the usual

  return {
    descriptor: (dims, layout, type) =>
      describe((out) => {
        const { code } = numberTypes[type];
        const lengths = dimensions(dims);
        if (layout === "any" || layout === "channels-by-16")
          calls.dnnl_memory_desc_create_with_tag(out, dims.length, lengths, code, tags[layout]);
        else calls.dnnl_memory_desc_create_with_strides(out, dims.length, lengths, code, denseStrides(dims, layout));
      }),
    strided: (dims, strides, type) =>
      describe((out) =>
        calls.dnnl_memory_desc_create_with_strides(
          out,
          dims.length,
          dimensions(dims),
          numberTypes[type].code,
          dimensions(strides),
        ),
      ),
    numberType(descriptor) {
      const out = new Int32Array(1);
      calls.dnnl_memory_desc_query(descriptor, DNNL_3.dnnl_query_data_type, out);
      return numberTypeOf(out[0]);
    },
    part: (whole, dims, offsets) =>
      describe((out) => calls.dnnl_memory_desc_create_submemory(out, whole, dimensions(dims), dimensions(offsets))),
    attributes({ relu, adds }) {
      if (adds)
        return ownAttributes(context, (after) =>
          calls.dnnl_post_ops_append_sum(after, 1, 0, DNNL_3.dnnl_data_type_undef),
        );
      if (!relu) return ownAttributes(context, undefined);
      return ownAttributes(context, (after) =>
        calls.dnnl_post_ops_append_eltwise(after, DNNL_3.dnnl_eltwise_relu, 0, 0),
      );
    },
    convolutionForward(s, training, attributes) {
      const [kind, algorithm] = [propagation(training), convolutionAlgorithms[s.algorithm]];
      const [stride, pad] = [square(s.stride), square(s.padding)];
      return operation((out) =>
        calls.dnnl_convolution_forward_primitive_desc_create(
          out,
          engine,
          kind,
          algorithm,
          s.src,
          s.weights,
          s.bias,
          s.dst,
          stride,
          none,
          pad,
          pad,
          attributes,
        ),
      );
    },
    convolutionBackwardData(s, attributes, forward) {
      const algorithm = convolutionAlgorithms[s.algorithm];
      const [stride, pad] = [square(s.stride), square(s.padding)];
      return operation((out) =>
        calls.dnnl_convolution_backward_data_primitive_desc_create(
          out,
          engine,
          algorithm,
          s.src,
          s.weights,
          s.dst,
          stride,
          none,
          pad,
          pad,
          forward,
          attributes,
        ),
      );
    },
    convolutionBackwardWeights(s, attributes, forward) {
      const algorithm = convolutionAlgorithms[s.algorithm];
      const [stride, pad] = [square(s.stride), square(s.padding)];
      return operation((out) =>
        calls.dnnl_convolution_backward_weights_primitive_desc_create(
          out,
          engine,
          algorithm,
          s.src,
          s.weights,
          s.bias,
          s.dst,
          stride,
          none,
          pad,
          pad,
          forward,
          attributes,
        ),
      );
    },
    innerProductForward(s, training, attributes) {
      const kind = propagation(training);
      return operation((out) =>
        calls.dnnl_inner_product_forward_primitive_desc_create(
          out,
          engine,
          kind,
          s.src,
          s.weights,
          s.bias,
          s.dst,
          attributes,
        ),
      );
    },
    innerProductBackwardData: (s, attributes, forward) =>
      operation((out) =>
        calls.dnnl_inner_product_backward_data_primitive_desc_create(
          out,
          engine,
          s.src,
          s.weights,
          s.dst,
          forward,
          attributes,
        ),
      ),
    innerProductBackwardWeights: (s, attributes, forward) =>
      operation((out) =>
        calls.dnnl_inner_product_backward_weights_primitive_desc_create(
          out,
          engine,
          s.src,
          s.weights,
          s.bias,
          s.dst,
          forward,
          attributes,
        ),
      ),
    poolForward(s, training, attributes) {
      const [kind, algorithm] = [propagation(training), poolingAlgorithms[s.takes]];
      const [stride, size] = [square(s.stride), square(s.size)];
      return operation((out) =>
        calls.dnnl_pooling_forward_primitive_desc_create(
          out,
          engine,
          kind,
          algorithm,
          s.src,
          s.dst,
          stride,
          size,
          none,
          none,
          none,
          attributes,
        ),
      );
    },
    poolBackward(s, attributes, forward) {
      const [stride, size] = [square(s.stride), square(s.size)];
      return operation((out) =>
        calls.dnnl_pooling_backward_primitive_desc_create(
          out,
          engine,
          poolingAlgorithms[s.takes],
          s.src,
          s.dst,
          stride,
          size,
          none,
          none,
          none,
          forward,
          attributes,
        ),
      );
    },
    lrnForward(s, training, attributes) {
      const [kind, algorithm] = [propagation(training), DNNL.dnnl_lrn_across_channels];
      return operation((out) =>
        calls.dnnl_lrn_forward_primitive_desc_create(
          out,
          engine,
          kind,
          algorithm,
          s.data,
          s.data,
          s.n,
          s.alpha,
          s.beta,
          s.k,
          attributes,
        ),
      );
    },
    lrnBackward: (s, attributes, forward) =>
      operation((out) =>
        calls.dnnl_lrn_backward_primitive_desc_create(
          out,
          engine,
          DNNL.dnnl_lrn_across_channels,
          s.data,
          s.data,
          s.data,
          s.n,
          s.alpha,
          s.beta,
          s.k,
          forward,
          attributes,
        ),
      ),
    pointwiseForward(what, data, training, attributes) {
      const [kind, algorithm] = [propagation(training), pointwise[what]];
      return operation((out) =>
        calls.dnnl_eltwise_forward_primitive_desc_create(out, engine, kind, algorithm, data, data, 0, 0, attributes),
      );
    },
    pointwiseBackward(what, data, diff, attributes, forward) {
      return operation((out) =>
        calls.dnnl_eltwise_backward_primitive_desc_create(
          out,
          engine,
          pointwise[what],
          diff,
          diff,
          data,
          0,
          0,
          forward,
          attributes,
        ),
      );
    },
    matmul: (a, b, c, attributes) =>
      operation((out) => calls.dnnl_matmul_primitive_desc_create(out, engine, a, b, null, c, attributes)),
    reorder: (from, to, attributes) =>
      operation((out) => common.dnnl_reorder_primitive_desc_create(out, from, engine, to, engine, attributes)),
    sum(descriptor, scales, attributes) {
      const factors = Float32Array.from(scales);
      const sources = BigUint64Array.from(scales, () => descriptor.address);
      return operation((out) =>
        calls.dnnl_sum_primitive_desc_create(out, engine, descriptor, scales.length, factors, sources, attributes),
      );
    },
  };
}
