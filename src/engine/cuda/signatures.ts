/**
 * Every foreign function and constant this engine uses, as C's headers declare them: bench/cuda-bindings.ts
 * compares these tables with the headers that are installed. Handles, descriptors and host memory are "void *",
 * device memory is "uint64"; enumerations are "int".
 */

export type NativeType =
  | "void *"
  | "str"
  | "int"
  | "uint"
  | "uint8"
  | "int64"
  | "uint64"
  | "size_t"
  | "float"
  | "double";

/** By name, the types of the arguments. All of a table's functions give a status. */
export type Signatures = Readonly<Record<string, readonly NativeType[]>>;

export const driverCalls = {
  cuInit: ["uint"],
  cuDriverGetVersion: ["void *"],
  cuDeviceGetCount: ["void *"],
  cuDeviceGet: ["void *", "int"],
  cuDeviceGetName: ["void *", "int", "int"],
  cuDeviceTotalMem_v2: ["void *", "int"],
  cuDeviceGetAttribute: ["void *", "int", "int"],
  cuDevicePrimaryCtxRetain: ["void *", "int"],
  cuDevicePrimaryCtxRelease_v2: ["int"],
  cuCtxSetCurrent: ["void *"],
  cuMemGetInfo_v2: ["void *", "void *"],
  cuMemAlloc_v2: ["void *", "size_t"],
  cuMemFree_v2: ["uint64"],
  cuMemHostAlloc: ["void *", "size_t", "uint"],
  cuMemFreeHost: ["void *"],
  cuMemHostRegister_v2: ["void *", "size_t", "uint"],
  cuMemHostUnregister: ["void *"],
  cuMemcpyHtoDAsync_v2: ["uint64", "void *", "size_t", "void *"],
  cuMemcpyDtoHAsync_v2: ["void *", "uint64", "size_t", "void *"],
  cuMemcpyDtoDAsync_v2: ["uint64", "uint64", "size_t", "void *"],
  cuMemsetD8Async: ["uint64", "uint8", "size_t", "void *"],
  cuStreamCreate: ["void *", "uint"],
  cuStreamSynchronize: ["void *"],
  cuStreamWaitEvent: ["void *", "void *", "uint"],
  cuStreamBeginCapture_v2: ["void *", "int"],
  cuStreamEndCapture: ["void *", "void *"],
  cuStreamDestroy_v2: ["void *"],
  cuGraphInstantiateWithFlags: ["void *", "void *", "uint64"],
  cuGraphLaunch: ["void *", "void *"],
  cuGraphDestroy: ["void *"],
  cuGraphExecDestroy: ["void *"],
  cuEventCreate: ["void *", "uint"],
  cuEventRecord: ["void *", "void *"],
  cuEventRecordWithFlags: ["void *", "void *", "uint"],
  cuEventSynchronize: ["void *"],
  cuEventElapsedTime: ["void *", "void *", "void *"],
  cuEventDestroy_v2: ["void *"],
  cuModuleLoadData: ["void *", "void *"],
  cuModuleGetFunction: ["void *", "void *", "str"],
  cuModuleUnload: ["void *"],
  cuLaunchKernel: ["void *", "uint", "uint", "uint", "uint", "uint", "uint", "uint", "void *", "void *", "void *"],
  cuGetErrorName: ["int", "void *"],
  cuGetErrorString: ["int", "void *"],
} as const satisfies Signatures;

export const compilerCalls = {
  nvrtcVersion: ["void *", "void *"],
  nvrtcGetNumSupportedArchs: ["void *"],
  nvrtcGetSupportedArchs: ["void *"],
  nvrtcCreateProgram: ["void *", "str", "str", "int", "void *", "void *"],
  nvrtcCompileProgram: ["void *", "int", "void *"],
  nvrtcGetCUBINSize: ["void *", "void *"],
  nvrtcGetCUBIN: ["void *", "void *"],
  nvrtcGetProgramLogSize: ["void *", "void *"],
  nvrtcGetProgramLog: ["void *", "void *"],
  nvrtcDestroyProgram: ["void *"],
} as const satisfies Signatures;

export const blasCalls = {
  cublasLtCreate: ["void *"],
  cublasLtDestroy: ["void *"],
  cublasLtMatrixLayoutCreate: ["void *", "int", "uint64", "uint64", "int64"],
  cublasLtMatrixLayoutDestroy: ["void *"],
  cublasLtMatmulDescCreate: ["void *", "int", "int"],
  cublasLtMatmulDescDestroy: ["void *"],
  cublasLtMatmulDescSetAttribute: ["void *", "int", "void *", "size_t"],
  cublasLtMatmulPreferenceCreate: ["void *"],
  cublasLtMatmulPreferenceDestroy: ["void *"],
  cublasLtMatmulPreferenceSetAttribute: ["void *", "int", "void *", "size_t"],
  /** handle, operation, A, B, C, D, preference, asked for, results, found */
  cublasLtMatmulAlgoGetHeuristic: [
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "int",
    "void *",
    "void *",
  ],
  /** handle, operation, alpha, A and its layout, B …, beta, C …, D …, algorithm, workspace and its size, stream */
  cublasLtMatmul: [
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "size_t",
    "void *",
  ],
} as const satisfies Signatures;

export const convolutionCalls = {
  cudnnCreate: ["void *"],
  cudnnDestroy: ["void *"],
  cudnnSetStream: ["void *", "void *"],
  cudnnCreateTensorDescriptor: ["void *"],
  cudnnDestroyTensorDescriptor: ["void *"],
  cudnnSetTensor4dDescriptor: ["void *", "int", "int", "int", "int", "int", "int"],
  cudnnCreateFilterDescriptor: ["void *"],
  cudnnDestroyFilterDescriptor: ["void *"],
  cudnnSetFilter4dDescriptor: ["void *", "int", "int", "int", "int", "int", "int"],
  cudnnCreateConvolutionDescriptor: ["void *"],
  cudnnDestroyConvolutionDescriptor: ["void *"],
  cudnnSetConvolution2dDescriptor: ["void *", "int", "int", "int", "int", "int", "int", "int", "int"],
  cudnnSetConvolutionMathType: ["void *", "int"],
  cudnnSetConvolutionGroupCount: ["void *", "int"],
  cudnnCreateActivationDescriptor: ["void *"],
  cudnnDestroyActivationDescriptor: ["void *"],
  cudnnSetActivationDescriptor: ["void *", "int", "int", "double"],
  cudnnGetConvolutionForwardWorkspaceSize: ["void *", "void *", "void *", "void *", "void *", "int", "void *"],
  cudnnGetConvolutionBackwardDataWorkspaceSize: ["void *", "void *", "void *", "void *", "void *", "int", "void *"],
  cudnnGetConvolutionBackwardFilterWorkspaceSize: ["void *", "void *", "void *", "void *", "void *", "int", "void *"],
  /** handle, alpha, x, w, convolution, algorithm, workspace and its size, alpha, z, bias, activation, y */
  cudnnConvolutionBiasActivationForward: [
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "int",
    "void *",
    "size_t",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
  ],
  /** handle, alpha, w, dy, convolution, algorithm, workspace and its size, beta, dx */
  cudnnConvolutionBackwardData: [
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "int",
    "void *",
    "size_t",
    "void *",
    "void *",
    "void *",
  ],
  /** handle, alpha, x, dy, convolution, algorithm, workspace and its size, beta, dw */
  cudnnConvolutionBackwardFilter: [
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "void *",
    "int",
    "void *",
    "size_t",
    "void *",
    "void *",
    "void *",
  ],
} as const satisfies Signatures;

/** Functions that give something else than success or an error: name, result, arguments. */
export const plainCalls = {
  nvrtcGetErrorString: ["str", "int"],
  cublasLtGetStatusString: ["str", "int"],
  cublasLtGetVersion: ["size_t"],
  cudnnGetErrorString: ["str", "int"],
  cuEventQuery: ["int", "void *"],
  cudnnGetVersion: ["size_t"],
} as const satisfies Readonly<Record<string, readonly [NativeType, ...NativeType[]]>>;

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
