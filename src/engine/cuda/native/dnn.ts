import type { NativeLibrary } from "../../../system/native/library.js";
import { type Pointer, writtenPointer } from "../../../system/native/memory.js";
import { type Handle, Owner } from "../../../system/native/objects.js";
import type { CheckedFunctions } from "../../../system/native/signatures.js";
import type { Precision } from "../../engine.js";
import { bind, load, type Scene, versionText } from "./bind.js";
import type { Device } from "./driver.js";
import { CUDNN, convolutionAnswers, convolutionCalls } from "./signatures.js";

/** A convolution over (batch, height, width, channels); filters are (filters, size, size, channels / groups). */
export interface ConvolutionShape {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly filters: number;
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** Descriptors of one convolution; the addresses come when it runs. */
export interface PreparedConvolution {
  /** Scratch memory each direction needs, in bytes; undefined where the library does not do it. */
  readonly workspace: Readonly<Record<"forward" | "data" | "weights", number | undefined>>;
  /** y = conv(x, w) + bias, then max(0, …) if `rectify`. */
  forward(x: Pointer, w: Pointer, bias: Pointer, y: Pointer, rectify: boolean, workspace: Pointer): void;
  backwardData(dy: Pointer, w: Pointer, dx: Pointer, workspace: Pointer): void;
  /** dw in the format of x and dy. */
  backwardWeights(x: Pointer, dy: Pointer, dw: Pointer, workspace: Pointer): void;
  close(): void;
}

/**
 * cuDNN by its descriptor calls (deprecated since version 9, and still in it): they are plain C over a few numbers,
 * where the graph interface builds every convolution from dozens of attributes; and they name their algorithms, of
 * which only those are used that give the same bits each time and lose no precision: implicit matrix products.
 */
export class Dnn {
  readonly version: string;
  readonly path: string;
  readonly #calls: CheckedFunctions<typeof convolutionCalls>;
  readonly #owner = new Owner();
  readonly #handle: Handle<"cuDNN handle">;
  readonly #precision: Precision;
  readonly #one = Float32Array.of(1);
  readonly #zero = Float32Array.of(0);

  constructor(library: NativeLibrary, device: Device, precision: Precision, scene: Scene) {
    this.#calls = bindDnn(library, scene);
    this.version = dnnVersion(library);
    this.path = library.path;
    this.#precision = precision;
    this.#handle = this.#owner.scopeFor((own) => {
      const handle = own.create("cuDNN handle", this.#calls.cudnnCreate, this.#calls.cudnnDestroy);
      this.#calls.cudnnSetStream(handle, device.stream);
      return handle;
    });
  }

  prepare(shape: ConvolutionShape): PreparedConvolution {
    return this.#owner.scopeFor((own) => ({ ...this.#prepare(shape, own), close: () => own.close() }));
  }

  close(): void {
    this.#owner.close();
  }

  #prepare(shape: ConvolutionShape, own: Owner): Omit<PreparedConvolution, "close"> {
    const calls = this.#calls;
    const handle = this.#handle;
    const { batch, channels, height, width, filters, size, stride, padding, groups } = shape;
    const x = this.#tensor([batch, channels, height, width], own);
    const y = this.#tensor([batch, filters, shape.outHeight, shape.outWidth], own);
    const bias = this.#tensor([1, filters, 1, 1], own);
    const w = own.create("filter descriptor", calls.cudnnCreateFilterDescriptor, calls.cudnnDestroyFilterDescriptor);
    calls.cudnnSetFilter4dDescriptor(w, this.#type, CUDNN.CUDNN_TENSOR_NHWC, filters, channels / groups, size, size);
    const convolution = own.create(
      "convolution descriptor",
      calls.cudnnCreateConvolutionDescriptor,
      calls.cudnnDestroyConvolutionDescriptor,
    );
    const { CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT } = CUDNN;
    calls.cudnnSetConvolution2dDescriptor(
      convolution,
      padding,
      padding,
      stride,
      stride,
      1,
      1,
      CUDNN_CROSS_CORRELATION,
      CUDNN_DATA_FLOAT,
    );
    // The default is what allows TF32 for float32 numbers; for bf16 ones it takes matrix units too.
    const exact = this.#precision === "float32";
    calls.cudnnSetConvolutionMathType(convolution, exact ? CUDNN.CUDNN_FMA_MATH : CUDNN.CUDNN_DEFAULT_MATH);
    calls.cudnnSetConvolutionGroupCount(convolution, groups);
    const rectifier = this.#activation(CUDNN.CUDNN_ACTIVATION_RELU, own);
    const identity = this.#activation(CUDNN.CUDNN_ACTIVATION_IDENTITY, own);

    const forwardAlgorithm = CUDNN.CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
    const dataAlgorithm = CUDNN.CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;
    const weightsAlgorithm = CUDNN.CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;
    const workspace = {
      forward: bytes((out) =>
        calls.cudnnGetConvolutionForwardWorkspaceSize(handle, x, w, convolution, y, forwardAlgorithm, out),
      ),
      data: bytes((out) =>
        calls.cudnnGetConvolutionBackwardDataWorkspaceSize(handle, w, y, convolution, x, dataAlgorithm, out),
      ),
      weights: bytes((out) =>
        calls.cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, x, y, convolution, w, weightsAlgorithm, out),
      ),
    };
    const [one, zero] = [this.#one, this.#zero];
    return {
      workspace,
      forward: (xAt, wAt, biasAt, yAt, rectify, scratch) =>
        calls.cudnnConvolutionBiasActivationForward(
          handle,
          one,
          x,
          xAt,
          w,
          wAt,
          convolution,
          forwardAlgorithm,
          scratch,
          workspace.forward ?? 0,
          zero,
          y,
          yAt,
          bias,
          biasAt,
          rectify ? rectifier : identity,
          y,
          yAt,
        ),
      backwardData: (dyAt, wAt, dxAt, scratch) =>
        calls.cudnnConvolutionBackwardData(
          handle,
          one,
          w,
          wAt,
          y,
          dyAt,
          convolution,
          dataAlgorithm,
          scratch,
          workspace.data ?? 0,
          zero,
          x,
          dxAt,
        ),
      backwardWeights: (xAt, dyAt, dwAt, scratch) =>
        calls.cudnnConvolutionBackwardFilter(
          handle,
          one,
          x,
          xAt,
          y,
          dyAt,
          convolution,
          weightsAlgorithm,
          scratch,
          workspace.weights ?? 0,
          zero,
          w,
          dwAt,
        ),
    };
  }

  get #type(): number {
    return this.#precision === "bf16" ? CUDNN.CUDNN_DATA_BFLOAT16 : CUDNN.CUDNN_DATA_FLOAT;
  }

  #tensor([batch, channels, height, width]: readonly [number, number, number, number], own: Owner): Handle {
    const calls = this.#calls;
    const tensor = own.create(
      "tensor descriptor",
      calls.cudnnCreateTensorDescriptor,
      calls.cudnnDestroyTensorDescriptor,
    );
    const { CUDNN_TENSOR_NHWC } = CUDNN;
    calls.cudnnSetTensor4dDescriptor(tensor, CUDNN_TENSOR_NHWC, this.#type, batch, channels, height, width);
    return tensor;
  }

  #activation(mode: number, own: Owner): Handle {
    const calls = this.#calls;
    const activation = own.create(
      "activation descriptor",
      calls.cudnnCreateActivationDescriptor,
      calls.cudnnDestroyActivationDescriptor,
    );
    calls.cudnnSetActivationDescriptor(activation, mode, CUDNN.CUDNN_PROPAGATE_NAN, 0);
    return activation;
  }
}

/** @throws AlexnetError "engine" when it can't be loaded. */
export function loadDnn(driverVersion: number): NativeLibrary {
  return load("cudnn", driverVersion);
}

/** The library's functions, whose errors say what it says itself. */
export function bindDnn(library: NativeLibrary, scene: Scene): CheckedFunctions<typeof convolutionCalls> {
  const { cudnnGetErrorString } = library.bind(convolutionAnswers);
  return bind(library, "cuDNN", convolutionCalls, scene, (status) => String(cudnnGetErrorString(status)));
}

/** "9.10.2" */
export function dnnVersion(library: NativeLibrary): string {
  return versionText(library.bind(convolutionAnswers).cudnnGetVersion());
}

/** undefined where the library refuses, which is how it says that it doesn't support it. */
function bytes(write: (out: BigUint64Array) => void): number | undefined {
  try {
    return Number(writtenPointer(write));
  } catch {
    return undefined;
  }
}
