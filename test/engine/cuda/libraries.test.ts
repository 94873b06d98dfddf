import { describe, expect, it } from "vitest";
import { bindBlas, blasVersion, loadBlas } from "#src/engine/cuda/native/blas.js";
import { bindDnn, dnnVersion, loadDnn } from "#src/engine/cuda/native/dnn.js";
import { blasAnswers, CUBLASLT, CUDNN, layouts } from "#src/engine/cuda/native/signatures.js";
import { AlexnetError } from "#src/errors.js";
import type { NativeLibrary } from "#src/system/native/library.js";
import { writtenPointer } from "#src/system/native/memory.js";

/** What NVIDIA's real libraries do without a device: versions, texts and descriptors. */

const DRIVER = 13_000;

function orReason(load: (driverVersion: number) => NativeLibrary): NativeLibrary | string {
  try {
    return load(DRIVER);
  } catch (error) {
    if (!(error instanceof AlexnetError)) throw error;
    console.warn(`a CUDA library is skipped: ${error.message}`);
    return error.message;
  }
}

const [blas, dnn] = [orReason(loadBlas), orReason(loadDnn)];

describe("cuBLASLt", () => {
  it("describes products", (context) => {
    if (typeof blas === "string") return context.skip(blas);
    expect(Number(blasVersion(blas).split(".")[0])).toBeGreaterThanOrEqual(12);
    expect(blas.bind(blasAnswers).cublasLtGetStatusString(15)).toMatch(/not supported/i);
    const calls = bindBlas(blas, { doing: "a test" });
    const { CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_16BF } = CUBLASLT;
    const operation = writtenPointer((out) => calls.cublasLtMatmulDescCreate(out, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    const set = (attribute: number, value: Int32Array | BigUint64Array) =>
      calls.cublasLtMatmulDescSetAttribute(operation, attribute, value, value.byteLength);
    set(CUBLASLT.CUBLASLT_MATMUL_DESC_TRANSA, Int32Array.of(CUBLASLT.CUBLAS_OP_T));
    set(CUBLASLT.CUBLASLT_MATMUL_DESC_EPILOGUE, Int32Array.of(CUBLASLT.CUBLASLT_EPILOGUE_BGRADB));
    set(CUBLASLT.CUBLASLT_MATMUL_DESC_BIAS_POINTER, BigUint64Array.of(4096n));
    set(CUBLASLT.CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, Int32Array.of(CUDA_R_32F));
    expect(() => set(CUBLASLT.CUBLASLT_MATMUL_DESC_TRANSA, BigUint64Array.of(1n, 1n))).toThrow(
      /^cuBLASLt: cublasLtMatmulDescSetAttribute \(a test\): /,
    );
    const layout = writtenPointer((out) => calls.cublasLtMatrixLayoutCreate(out, CUDA_R_16BF, 64, 32, 64));
    const preference = writtenPointer((out) => calls.cublasLtMatmulPreferenceCreate(out));
    const bytes = BigUint64Array.of(1n << 25n);
    const { CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES } = CUBLASLT;
    calls.cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, bytes, 8);
    calls.cublasLtMatmulPreferenceDestroy(preference);
    calls.cublasLtMatrixLayoutDestroy(layout);
    calls.cublasLtMatmulDescDestroy(operation);
    expect(layouts.cublasLtMatmulHeuristicResult_t.size).toBe(96);
  });
});

describe("cuDNN", () => {
  it("describes convolutions", (context) => {
    if (typeof dnn === "string") return context.skip(dnn);
    expect(dnnVersion(dnn)).toMatch(/^9\.\d+\.\d+$/);
    const calls = bindDnn(dnn, { doing: "" });
    const { CUDNN_DATA_BFLOAT16, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, CUDNN_CROSS_CORRELATION } = CUDNN;
    const tensor = writtenPointer((out) => calls.cudnnCreateTensorDescriptor(out));
    calls.cudnnSetTensor4dDescriptor(tensor, CUDNN_TENSOR_NHWC, CUDNN_DATA_BFLOAT16, 128, 96, 27, 27);
    expect(() =>
      calls.cudnnSetTensor4dDescriptor(tensor, CUDNN_TENSOR_NHWC, CUDNN_DATA_BFLOAT16, -1, 96, 27, 27),
    ).toThrow(/^cuDNN: cudnnSetTensor4dDescriptor: CUDNN_STATUS_BAD_PARAM/);
    const filter = writtenPointer((out) => calls.cudnnCreateFilterDescriptor(out));
    calls.cudnnSetFilter4dDescriptor(filter, CUDNN_DATA_BFLOAT16, CUDNN_TENSOR_NHWC, 256, 48, 5, 5);
    const convolution = writtenPointer((out) => calls.cudnnCreateConvolutionDescriptor(out));
    calls.cudnnSetConvolution2dDescriptor(convolution, 2, 2, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
    calls.cudnnSetConvolutionMathType(convolution, CUDNN.CUDNN_DEFAULT_MATH);
    calls.cudnnSetConvolutionGroupCount(convolution, 2);
    const activation = writtenPointer((out) => calls.cudnnCreateActivationDescriptor(out));
    calls.cudnnSetActivationDescriptor(activation, CUDNN.CUDNN_ACTIVATION_RELU, CUDNN.CUDNN_PROPAGATE_NAN, 0);
    calls.cudnnDestroyActivationDescriptor(activation);
    calls.cudnnDestroyConvolutionDescriptor(convolution);
    calls.cudnnDestroyFilterDescriptor(filter);
    calls.cudnnDestroyTensorDescriptor(tensor);
  });
});
