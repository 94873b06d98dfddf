import type { Signatures, StatusSignatures } from "../../../system/native/signatures.js";

/**
 * Every foreign function and constant this engine uses, as C's headers declare them: `bench/run bindings cuda`
 * compares these tables with the headers that are installed. Handles, descriptors and host memory are "void *",
 * device memory is "uint64"; enumerations are "int".
 */

const P = "void *";

export const driverCalls = {
  cuInit: ["uint"],
  cuDriverGetVersion: [P],
  cuDeviceGetCount: [P],
  cuDeviceGet: [P, "int"],
  cuDeviceGetName: [P, "int", "int"],
  cuDeviceTotalMem_v2: [P, "int"],
  cuDeviceGetAttribute: [P, "int", "int"],
  cuDevicePrimaryCtxRetain: [P, "int"],
  cuDevicePrimaryCtxRelease_v2: ["int"],
  cuCtxSetCurrent: [P],
  cuMemGetInfo_v2: [P, P],
  cuMemAlloc_v2: [P, "size_t"],
  cuMemFree_v2: ["uint64"],
  cuMemHostAlloc: [P, "size_t", "uint"],
  cuMemFreeHost: [P],
  cuMemHostRegister_v2: [P, "size_t", "uint"],
  cuMemHostUnregister: [P],
  cuMemcpyHtoDAsync_v2: ["uint64", P, "size_t", P],
  cuMemcpyDtoHAsync_v2: [P, "uint64", "size_t", P],
  cuMemcpyDtoDAsync_v2: ["uint64", "uint64", "size_t", P],
  cuMemsetD8Async: ["uint64", "uint8", "size_t", P],
  cuStreamCreate: [P, "uint"],
  cuStreamSynchronize: [P],
  cuStreamWaitEvent: [P, P, "uint"],
  cuStreamBeginCapture_v2: [P, "int"],
  cuStreamEndCapture: [P, P],
  cuStreamDestroy_v2: [P],
  cuGraphInstantiateWithFlags: [P, P, "uint64"],
  cuGraphLaunch: [P, P],
  cuGraphDestroy: [P],
  cuGraphExecDestroy: [P],
  cuEventCreate: [P, "uint"],
  cuEventRecord: [P, P],
  cuEventRecordWithFlags: [P, P, "uint"],
  cuEventSynchronize: [P],
  cuEventElapsedTime: [P, P, P],
  cuEventDestroy_v2: [P],
  cuModuleLoadData: [P, P],
  cuModuleGetFunction: [P, P, "str"],
  cuModuleUnload: [P],
  cuLaunchKernel: [P, "uint", "uint", "uint", "uint", "uint", "uint", "uint", P, P, P],
  cuGetErrorName: ["int", P],
  cuGetErrorString: ["int", P],
} as const satisfies StatusSignatures;

export const compilerCalls = {
  nvrtcVersion: [P, P],
  nvrtcGetNumSupportedArchs: [P],
  nvrtcGetSupportedArchs: [P],
  nvrtcCreateProgram: [P, "str", "str", "int", P, P],
  nvrtcCompileProgram: [P, "int", P],
  nvrtcGetCUBINSize: [P, P],
  nvrtcGetCUBIN: [P, P],
  nvrtcGetProgramLogSize: [P, P],
  nvrtcGetProgramLog: [P, P],
  nvrtcDestroyProgram: [P],
} as const satisfies StatusSignatures;

export const blasCalls = {
  cublasLtCreate: [P],
  cublasLtDestroy: [P],
  cublasLtMatrixLayoutCreate: [P, "int", "uint64", "uint64", "int64"],
  cublasLtMatrixLayoutDestroy: [P],
  cublasLtMatmulDescCreate: [P, "int", "int"],
  cublasLtMatmulDescDestroy: [P],
  cublasLtMatmulDescSetAttribute: [P, "int", P, "size_t"],
  cublasLtMatmulPreferenceCreate: [P],
  cublasLtMatmulPreferenceDestroy: [P],
  cublasLtMatmulPreferenceSetAttribute: [P, "int", P, "size_t"],
  /** handle, operation, A, B, C, D, preference, asked for, results, found */
  cublasLtMatmulAlgoGetHeuristic: [P, P, P, P, P, P, P, "int", P, P],
  /** handle, operation, alpha, A and its layout, B …, beta, C …, D …, algorithm, workspace and its size, stream */
  cublasLtMatmul: [P, P, P, P, P, P, P, P, P, P, P, P, P, P, "size_t", P],
} as const satisfies StatusSignatures;

export const convolutionCalls = {
  cudnnCreate: [P],
  cudnnDestroy: [P],
  cudnnSetStream: [P, P],
  cudnnCreateTensorDescriptor: [P],
  cudnnDestroyTensorDescriptor: [P],
  cudnnSetTensor4dDescriptor: [P, "int", "int", "int", "int", "int", "int"],
  cudnnCreateFilterDescriptor: [P],
  cudnnDestroyFilterDescriptor: [P],
  cudnnSetFilter4dDescriptor: [P, "int", "int", "int", "int", "int", "int"],
  cudnnCreateConvolutionDescriptor: [P],
  cudnnDestroyConvolutionDescriptor: [P],
  cudnnSetConvolution2dDescriptor: [P, "int", "int", "int", "int", "int", "int", "int", "int"],
  cudnnSetConvolutionMathType: [P, "int"],
  cudnnSetConvolutionGroupCount: [P, "int"],
  cudnnCreateActivationDescriptor: [P],
  cudnnDestroyActivationDescriptor: [P],
  cudnnSetActivationDescriptor: [P, "int", "int", "double"],
  cudnnGetConvolutionForwardWorkspaceSize: [P, P, P, P, P, "int", P],
  cudnnGetConvolutionBackwardDataWorkspaceSize: [P, P, P, P, P, "int", P],
  cudnnGetConvolutionBackwardFilterWorkspaceSize: [P, P, P, P, P, "int", P],
  /** handle, alpha, x, w, convolution, algorithm, workspace and its size, alpha, z, bias, activation, y */
  cudnnConvolutionBiasActivationForward: [P, P, P, P, P, P, P, "int", P, "size_t", P, P, P, P, P, P, P, P],
  /** handle, alpha, w, dy, convolution, algorithm, workspace and its size, beta, dx */
  cudnnConvolutionBackwardData: [P, P, P, P, P, P, P, "int", P, "size_t", P, P, P],
  /** handle, alpha, x, dy, convolution, algorithm, workspace and its size, beta, dw */
  cudnnConvolutionBackwardFilter: [P, P, P, P, P, P, P, "int", P, "size_t", P, P, P],
} as const satisfies StatusSignatures;

/** Functions that give something else than success or an error: result, then arguments. */
export const driverAnswers = {
  cuEventQuery: ["int", P],
} as const satisfies Signatures;

export const compilerAnswers = {
  nvrtcGetErrorString: ["str", "int"],
} as const satisfies Signatures;

export const blasAnswers = {
  cublasLtGetStatusString: ["str", "int"],
  cublasLtGetVersion: ["size_t"],
} as const satisfies Signatures;

export const convolutionAnswers = {
  cudnnGetErrorString: ["str", "int"],
  cudnnGetVersion: ["size_t"],
} as const satisfies Signatures;

export const CUDA = {
  CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: 16,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: 76,
  CU_STREAM_NON_BLOCKING: 1,
  CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: 1,
  CU_EVENT_DEFAULT: 0,
  CU_EVENT_DISABLE_TIMING: 2,
  CU_EVENT_RECORD_EXTERNAL: 1,
  CUDA_ERROR_OUT_OF_MEMORY: 2,
  CUDA_ERROR_NOT_READY: 600,
} as const;

export const CUBLASLT = {
  CUDA_R_32F: 0,
  CUDA_R_16BF: 14,
  CUBLAS_OP_N: 0,
  CUBLAS_OP_T: 1,
  CUBLAS_COMPUTE_32F: 68,
  CUBLAS_COMPUTE_32F_FAST_TF32: 77,
  CUBLASLT_MATMUL_DESC_TRANSA: 3,
  CUBLASLT_MATMUL_DESC_TRANSB: 4,
  CUBLASLT_MATMUL_DESC_EPILOGUE: 7,
  CUBLASLT_MATMUL_DESC_BIAS_POINTER: 8,
  CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE: 26,
  CUBLASLT_EPILOGUE_DEFAULT: 1,
  CUBLASLT_EPILOGUE_BIAS: 4,
  CUBLASLT_EPILOGUE_RELU_BIAS: 6,
  CUBLASLT_EPILOGUE_BGRADB: 512,
  CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE: 2,
  CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES: 1,
  CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK: 3,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES: 5,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES: 6,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES: 7,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES: 8,
} as const;

export const CUDNN = {
  CUDNN_DATA_FLOAT: 0,
  CUDNN_DATA_BFLOAT16: 9,
  CUDNN_TENSOR_NHWC: 1,
  CUDNN_CROSS_CORRELATION: 1,
  CUDNN_DEFAULT_MATH: 0,
  CUDNN_FMA_MATH: 3,
  CUDNN_ACTIVATION_RELU: 1,
  CUDNN_ACTIVATION_IDENTITY: 5,
  CUDNN_PROPAGATE_NAN: 1,
  CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM: 1,
  CUDNN_CONVOLUTION_BWD_DATA_ALGO_1: 1,
  CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1: 1,
} as const;

/** Sizes and offsets in bytes of the structures that are read by hand. */
export const layouts = {
  cublasLtMatmulHeuristicResult_t: { size: 96, fields: { algo: 0, workspaceSize: 64, state: 72 } },
} as const;
