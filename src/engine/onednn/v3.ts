import type { LibraryHandle } from "koffi";
import {
  bindChecked,
  created,
  denseStrides,
  type LrnSpec,
  numberTypes,
  type OperationBindings,
  type Pointer,
} from "./bindings.js";

/** oneDNN 3.x: descriptors are objects of the library; each operation has one call that creates its primitive descriptor. */
const ANY = 1;
const UNDEFINED = 0;
const Propagation = { training: 64, inference: 96 } as const;
const Algorithm = { relu: 0x20, maxPool: 0x1ff, lrnAcross: 0xaff, lrnWithin: 0xbff } as const;
const convolutionAlgorithms = { direct: 1, winograd: 2 } as const;
const USER_SCRATCHPAD = 1;

export function bindV3(library: LibraryHandle, engine: Pointer): OperationBindings {
  const bind = (name: string, ...args: string[]) => bindChecked(library, name, args);
  const p = "void *";
  const withStrides = bind("dnnl_memory_desc_create_with_strides", p, "int", p, "int", p);
  const withTag = bind("dnnl_memory_desc_create_with_tag", p, "int", p, "int", "int");
  const partOf = bind("dnnl_memory_desc_create_submemory", p, p, p, p);
  const attributesCreate = bind("dnnl_primitive_attr_create", p);
  const setScratchpad = bind("dnnl_primitive_attr_set_scratchpad_mode", p, "int");
  const postOpsCreate = bind("dnnl_post_ops_create", p);
  const postOpsDestroy = bind("dnnl_post_ops_destroy", p);
  const appendEltwise = bind("dnnl_post_ops_append_eltwise", p, "int", "float", "float");
  const appendSum = bind("dnnl_post_ops_append_sum", p, "float", "int32", "int");
  const setPostOps = bind("dnnl_primitive_attr_set_post_ops", p, p);

  /** Binds the creator of one kind of primitive descriptor; the first two arguments of all are the same. */
  const creator = (name: string, ...args: string[]) => {
    const create = bind(`dnnl_${name}_primitive_desc_create`, p, p, ...args);
    return (...values: unknown[]): Pointer => created((out) => create(out, engine, ...values));
  };
  const convolutionForward = creator("convolution_forward", "int", "int", p, p, p, p, p, p, p, p, p);
  const convolutionData = creator("convolution_backward_data", "int", p, p, p, p, p, p, p, p, p);
  const convolutionWeights = creator("convolution_backward_weights", "int", p, p, p, p, p, p, p, p, p, p);
  const innerForward = creator("inner_product_forward", "int", p, p, p, p, p);
  const innerData = creator("inner_product_backward_data", p, p, p, p, p);
  const innerWeights = creator("inner_product_backward_weights", p, p, p, p, p, p);
  const poolForward = creator("pooling_forward", "int", "int", p, p, p, p, p, p, p, p);
  const poolBackward = creator("pooling_backward", "int", p, p, p, p, p, p, p, p, p);
  const lrnForward = creator("lrn_forward", "int", "int", p, p, "int64", "float", "float", "float", p);
  const lrnBackward = creator("lrn_backward", "int", p, p, p, "int64", "float", "float", "float", p, p);
  const eltwiseForward = creator("eltwise_forward", "int", "int", p, p, "float", "float", p);
  const eltwiseBackward = creator("eltwise_backward", "int", p, p, p, "float", "float", p, p);
  const matmul = creator("matmul", p, p, p, p, p);
  const sum = creator("sum", p, "int", p, p, p);
  const reorderCreate = bind("dnnl_reorder_primitive_desc_create", p, p, p, p, p, p);

  const lengths = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
  const pair = (value: number): BigInt64Array => BigInt64Array.of(BigInt(value), BigInt(value));
  const none = pair(0);
  const propagation = (training: boolean): number => (training ? Propagation.training : Propagation.inference);
  const lrnAlgorithm = (s: LrnSpec): number => (s.withinMap ? Algorithm.lrnWithin : Algorithm.lrnAcross);

  return {
    descriptor: (dims, layout, type) =>
      created((out) =>
        layout === "any"
          ? withTag(out, dims.length, lengths(dims), numberTypes[type].code, ANY)
          : withStrides(out, dims.length, lengths(dims), numberTypes[type].code, denseStrides(dims, layout)),
      ),
    strided: (dims, strides, type) =>
      created((out) => withStrides(out, dims.length, lengths(dims), numberTypes[type].code, lengths(strides))),
    part: (whole, dims, offsets) => created((out) => partOf(out, whole, lengths(dims), lengths(offsets))),
    attributes({ relu, adds }) {
      const attributes = created((out) => attributesCreate(out));
      setScratchpad(attributes, USER_SCRATCHPAD);
      if (relu || adds) {
        const operations = created((out) => postOpsCreate(out));
        if (adds) appendSum(operations, 1, 0, UNDEFINED);
        else appendEltwise(operations, Algorithm.relu, 0, 0);
        setPostOps(attributes, operations);
        postOpsDestroy(operations);
      }
      return attributes;
    },
    convolutionForward(s, training, attributes) {
      const [kind, stride, pad] = [propagation(training), pair(s.stride), pair(s.padding)];
      const algorithm = convolutionAlgorithms[s.algorithm];
      return convolutionForward(kind, algorithm, s.src, s.weights, s.bias, s.dst, stride, none, pad, pad, attributes);
    },
    convolutionBackwardData(s, attributes, hint) {
      const [stride, pad] = [pair(s.stride), pair(s.padding)];
      const algorithm = convolutionAlgorithms[s.algorithm];
      return convolutionData(algorithm, s.src, s.weights, s.dst, stride, none, pad, pad, hint, attributes);
    },
    convolutionBackwardWeights(s, attributes, hint) {
      const [stride, pad] = [pair(s.stride), pair(s.padding)];
      const algorithm = convolutionAlgorithms[s.algorithm];
      return convolutionWeights(algorithm, s.src, s.weights, s.bias, s.dst, stride, none, pad, pad, hint, attributes);
    },
    innerProductForward: (s, training, attributes) =>
      innerForward(propagation(training), s.src, s.weights, s.bias, s.dst, attributes),
    innerProductBackwardData: (s, attributes, hint) => innerData(s.src, s.weights, s.dst, hint, attributes),
    innerProductBackwardWeights: (s, attributes, hint) =>
      innerWeights(s.src, s.weights, s.bias, s.dst, hint, attributes),
    maxPoolForward(s, training, attributes) {
      const [stride, size] = [pair(s.stride), pair(s.size)];
      const kind = propagation(training);
      return poolForward(kind, Algorithm.maxPool, s.src, s.dst, stride, size, none, none, none, attributes);
    },
    maxPoolBackward(s, attributes, hint) {
      const [stride, size] = [pair(s.stride), pair(s.size)];
      return poolBackward(Algorithm.maxPool, s.src, s.dst, stride, size, none, none, none, hint, attributes);
    },
    lrnForward: (s, training, attributes) =>
      lrnForward(propagation(training), lrnAlgorithm(s), s.data, s.data, s.n, s.alpha, s.beta, s.k, attributes),
    lrnBackward: (s, attributes, hint) =>
      lrnBackward(lrnAlgorithm(s), s.data, s.data, s.data, s.n, s.alpha, s.beta, s.k, hint, attributes),
    reluForward: (data, training, attributes) =>
      eltwiseForward(propagation(training), Algorithm.relu, data, data, 0, 0, attributes),
    reluBackward: (data, diff, attributes, hint) =>
      eltwiseBackward(Algorithm.relu, diff, diff, data, 0, 0, hint, attributes),
    matmul: (a, b, c, attributes) => matmul(a, b, null, c, attributes),
    reorder: (from, to, attributes) => created((out) => reorderCreate(out, from, engine, to, engine, attributes)),
    sum: (descriptor, scales, attributes) =>
      sum(
        descriptor,
        scales.length,
        Float32Array.from(scales),
        BigUint64Array.from(scales, () => descriptor),
        attributes,
      ),
  };
}
