import koffi, { type LibraryHandle } from "koffi";
import {
  bindChecked,
  type ConvolutionSpec,
  created,
  denseStrides,
  type InnerProductSpec,
  type LrnSpec,
  numberTypes,
  type OperationBindings,
  type Pointer,
  type PoolingSpec,
} from "./bindings.js";

/**
 * oneDNN 2.x: operations are described by plain structs, filled by `…_desc_init`, then turned into primitive
 * descriptors by one call. Sizes are those of dnnl_types.h of 2.6; they are the same in 2.0 to 2.7.
 */
const Size = {
  memory: 696,
  convolution: 5976,
  innerProduct: 5584,
  pooling: 3192,
  lrn: 1432,
  eltwise: 1416,
  matmul: 2800,
} as const;

const ANY = 1;
const Propagation = { training: 64, inference: 96 } as const;
const Algorithm = { relu: 0x1f, maxPool: 0x1ff, lrnAcross: 0xaff, lrnWithin: 0xbff } as const;
const convolutionAlgorithms = { direct: 1, winograd: 2 } as const;
const USER_SCRATCHPAD = 1;

export function bindV2(library: LibraryHandle, engine: Pointer): OperationBindings {
  const bind = (name: string, ...args: string[]) => bindChecked(library, name, args);
  const p = "void *";
  const byStrides = bind("dnnl_memory_desc_init_by_strides", p, "int", p, "int", p);
  const byTag = bind("dnnl_memory_desc_init_by_tag", p, "int", p, "int", "int");
  const partOf = bind("dnnl_memory_desc_init_submemory", p, p, p, p);
  const attributesCreate = bind("dnnl_primitive_attr_create", p);
  const setScratchpad = bind("dnnl_primitive_attr_set_scratchpad_mode", p, "int");
  const postOpsCreate = bind("dnnl_post_ops_create", p);
  const postOpsDestroy = bind("dnnl_post_ops_destroy", p);
  const appendEltwise = bind("dnnl_post_ops_append_eltwise", p, "float", "int", "float", "float");
  const appendSum = bind("dnnl_post_ops_append_sum", p, "float");
  const setPostOps = bind("dnnl_primitive_attr_set_post_ops", p, p);
  const descriptorCreate = bind("dnnl_primitive_desc_create", p, p, p, p, p);
  const convolutionForward = bind("dnnl_convolution_forward_desc_init", p, "int", "int", p, p, p, p, p, p, p);
  const convolutionData = bind("dnnl_convolution_backward_data_desc_init", p, "int", p, p, p, p, p, p);
  const convolutionWeights = bind("dnnl_convolution_backward_weights_desc_init", p, "int", p, p, p, p, p, p, p);
  const innerForward = bind("dnnl_inner_product_forward_desc_init", p, "int", p, p, p, p);
  const innerData = bind("dnnl_inner_product_backward_data_desc_init", p, p, p, p);
  const innerWeights = bind("dnnl_inner_product_backward_weights_desc_init", p, p, p, p, p);
  const poolForward = bind("dnnl_pooling_forward_desc_init", p, "int", "int", p, p, p, p, p, p);
  const poolBackward = bind("dnnl_pooling_backward_desc_init", p, "int", p, p, p, p, p, p);
  const lrnForward = bind("dnnl_lrn_forward_desc_init", p, "int", "int", p, "int64", "float", "float", "float");
  const lrnBackward = bind("dnnl_lrn_backward_desc_init", p, "int", p, p, "int64", "float", "float", "float");
  const eltwiseForward = bind("dnnl_eltwise_forward_desc_init", p, "int", "int", p, "float", "float");
  const eltwiseBackward = bind("dnnl_eltwise_backward_desc_init", p, "int", p, p, "float", "float");
  const matmulInit = bind("dnnl_matmul_desc_init", p, p, p, p, p);
  const reorderCreate = bind("dnnl_reorder_primitive_desc_create", p, p, p, p, p, p);
  const sumCreate = bind("dnnl_sum_primitive_desc_create", p, p, "int", p, p, p, p);

  // Descriptors are structs of ours; the library copies them, pointers to them are used until the engine closes.
  const descriptors: Uint8Array[] = [];
  const lengths = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
  const struct = (fill: (struct: Uint8Array) => void): Pointer => {
    const descriptor = new Uint8Array(Size.memory);
    fill(descriptor);
    descriptors.push(descriptor);
    return koffi.address(descriptor);
  };
  const pair = (value: number): BigInt64Array => BigInt64Array.of(BigInt(value), BigInt(value));
  const lrnAlgorithm = (s: LrnSpec): number => (s.withinMap ? Algorithm.lrnWithin : Algorithm.lrnAcross);
  /** Strides, then padding before and after: what every convolution call ends with. */
  const slide = (s: ConvolutionSpec) => [pair(s.stride), pair(s.padding), pair(s.padding)] as const;
  const propagation = (training: boolean): number => (training ? Propagation.training : Propagation.inference);
  const describe = (size: number, init: (operation: Uint8Array) => void, attributes: Pointer, hint: Pointer | null) => {
    const operation = new Uint8Array(size);
    init(operation);
    return created((out) => descriptorCreate(out, operation, attributes, engine, hint));
  };

  return {
    descriptor: (dims, layout, type) =>
      struct((d) =>
        layout === "any"
          ? byTag(d, dims.length, lengths(dims), numberTypes[type].code, ANY)
          : byStrides(d, dims.length, lengths(dims), numberTypes[type].code, denseStrides(dims, layout)),
      ),
    strided: (dims, strides, type) =>
      struct((d) => byStrides(d, dims.length, lengths(dims), numberTypes[type].code, lengths(strides))),
    part: (whole, dims, offsets) => struct((d) => partOf(d, whole, lengths(dims), lengths(offsets))),
    attributes({ relu, adds }) {
      const attributes = created((out) => attributesCreate(out));
      setScratchpad(attributes, USER_SCRATCHPAD);
      if (relu || adds) {
        const operations = created((out) => postOpsCreate(out));
        if (adds) appendSum(operations, 1);
        else appendEltwise(operations, 1, Algorithm.relu, 0, 0);
        setPostOps(attributes, operations);
        postOpsDestroy(operations);
      }
      return attributes;
    },
    convolutionForward: (s: ConvolutionSpec, training, attributes) =>
      describe(
        Size.convolution,
        (d) =>
          convolutionForward(
            d,
            propagation(training),
            convolutionAlgorithms[s.algorithm],
            s.src,
            s.weights,
            s.bias,
            s.dst,
            ...slide(s),
          ),
        attributes,
        null,
      ),
    convolutionBackwardData: (s: ConvolutionSpec, attributes, hint) =>
      describe(
        Size.convolution,
        (d) => convolutionData(d, convolutionAlgorithms[s.algorithm], s.src, s.weights, s.dst, ...slide(s)),
        attributes,
        hint,
      ),
    convolutionBackwardWeights: (s: ConvolutionSpec, attributes, hint) =>
      describe(
        Size.convolution,
        (d) => convolutionWeights(d, convolutionAlgorithms[s.algorithm], s.src, s.weights, s.bias, s.dst, ...slide(s)),
        attributes,
        hint,
      ),
    innerProductForward: (s: InnerProductSpec, training, attributes) =>
      describe(
        Size.innerProduct,
        (d) => innerForward(d, propagation(training), s.src, s.weights, s.bias, s.dst),
        attributes,
        null,
      ),
    innerProductBackwardData: (s: InnerProductSpec, attributes, hint) =>
      describe(Size.innerProduct, (d) => innerData(d, s.src, s.weights, s.dst), attributes, hint),
    innerProductBackwardWeights: (s: InnerProductSpec, attributes, hint) =>
      describe(Size.innerProduct, (d) => innerWeights(d, s.src, s.weights, s.bias, s.dst), attributes, hint),
    maxPoolForward: (s: PoolingSpec, training, attributes) =>
      describe(
        Size.pooling,
        (d) =>
          poolForward(
            d,
            propagation(training),
            Algorithm.maxPool,
            s.src,
            s.dst,
            pair(s.stride),
            pair(s.size),
            pair(0),
            pair(0),
          ),
        attributes,
        null,
      ),
    maxPoolBackward: (s: PoolingSpec, attributes, hint) =>
      describe(
        Size.pooling,
        (d) => poolBackward(d, Algorithm.maxPool, s.src, s.dst, pair(s.stride), pair(s.size), pair(0), pair(0)),
        attributes,
        hint,
      ),
    lrnForward: (s: LrnSpec, training, attributes) =>
      describe(
        Size.lrn,
        (d) => lrnForward(d, propagation(training), lrnAlgorithm(s), s.data, s.n, s.alpha, s.beta, s.k),
        attributes,
        null,
      ),
    lrnBackward: (s: LrnSpec, attributes, hint) =>
      describe(
        Size.lrn,
        (d) => lrnBackward(d, lrnAlgorithm(s), s.data, s.data, s.n, s.alpha, s.beta, s.k),
        attributes,
        hint,
      ),
    reluForward: (data, training, attributes) =>
      describe(
        Size.eltwise,
        (d) => eltwiseForward(d, propagation(training), Algorithm.relu, data, 0, 0),
        attributes,
        null,
      ),
    reluBackward: (data, diff, attributes, hint) =>
      describe(Size.eltwise, (d) => eltwiseBackward(d, Algorithm.relu, diff, data, 0, 0), attributes, hint),
    matmul: (a, b, c, attributes) => describe(Size.matmul, (d) => matmulInit(d, a, b, null, c), attributes, null),
    reorder: (from, to, attributes) => created((out) => reorderCreate(out, from, engine, to, engine, attributes)),
    sum(descriptor, scales, attributes) {
      const source = new Uint8Array(koffi.view(descriptor, Size.memory));
      const sources = new Uint8Array(Size.memory * scales.length);
      scales.forEach((_, i) => {
        sources.set(source, i * Size.memory);
      });
      return created((out) =>
        sumCreate(out, descriptor, scales.length, Float32Array.from(scales), sources, attributes, engine),
      );
    },
  };
}
