import type { Precision } from "../engine.js";
import type { Device } from "./driver.js";
import { bind, bindPlain, type Calls, created, load, type NativeLibrary, type Pointer, type Scene } from "./native.js";
import { CUDNN, convolutionCalls } from "./signatures.js";

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
  readonly #calls: Calls<typeof convolutionCalls>;
  readonly #handle: Pointer;
  readonly #precision: Precision;
  readonly #one = Float32Array.of(1);
  readonly #zero = Float32Array.of(0);

  constructor(library: NativeLibrary, device: Device, precision: Precision, scene: Scene) {
    const explain = bindPlain(library, "cudnnGetErrorString");
    this.#calls = bind(library, "cuDNN", convolutionCalls, scene, (status) => String(explain(status)));
    this.version = dnnVersion(library);
    this.path = library.path;
    this.#precision = precision;
    this.#handle = created((out) => this.#calls.cudnnCreate(out));
    this.#calls.cudnnSetStream(this.#handle, device.stream);
  }

  prepare(shape: ConvolutionShape): PreparedConvolution {
    const calls = this.#calls;
    const handle = this.#handle;
    const { batch, channels, height, width, filters, size, stride, padding, groups } = shape;
    const x = this.#tensor(batch, channels, height, width);
    const y = this.#tensor(batch, filters, shape.outHeight, shape.outWidth);
    const bias = this.#tensor(1, filters, 1, 1);
    const w = created((out) => calls.cudnnCreateFilterDescriptor(out));
    calls.cudnnSetFilter4dDescriptor(w, this.#type, CUDNN.CUDNN_TENSOR_NHWC, filters, channels / groups, size, size);
    const convolution = created((out) => calls.cudnnCreateConvolutionDescriptor(out));
    const { CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT } = CUDNN;
    calls.cudnnSetConvolution2dDescriptor(
      ...[convolution, padding, padding, stride, stride, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT],
    );
    // The default is what allows TF32 for float32 numbers; for bf16 ones it takes matrix units too.
    const exact = this.#precision === "float32";
    calls.cudnnSetConvolutionMathType(convolution, exact ? CUDNN.CUDNN_FMA_MATH : CUDNN.CUDNN_DEFAULT_MATH);
    calls.cudnnSetConvolutionGroupCount(convolution, groups);
    const [rectifier, identity] = [CUDNN.CUDNN_ACTIVATION_RELU, CUDNN.CUDNN_ACTIVATION_IDENTITY].map((mode) => {
      const activation = created((out) => calls.cudnnCreateActivationDescriptor(out));
      calls.cudnnSetActivationDescriptor(activation, mode, CUDNN.CUDNN_PROPAGATE_NAN, 0);
      return activation;
    });

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
          ...[handle, one, x, xAt, w, wAt, convolution, forwardAlgorithm, scratch, workspace.forward ?? 0],
          ...[zero, y, yAt, bias, biasAt, rectify ? rectifier : identity, y, yAt],
        ),
      backwardData: (dyAt, wAt, dxAt, scratch) =>
        calls.cudnnConvolutionBackwardData(
          ...[handle, one, w, wAt, y, dyAt, convolution, dataAlgorithm, scratch, workspace.data ?? 0, zero, x, dxAt],
        ),
      backwardWeights: (xAt, dyAt, dwAt, scratch) =>
        calls.cudnnConvolutionBackwardFilter(
          ...[handle, one, x, xAt, y, dyAt, convolution, weightsAlgorithm, scratch, workspace.weights ?? 0],
          ...[zero, w, dwAt],
        ),
      close() {
        for (const tensor of [x, y, bias]) calls.cudnnDestroyTensorDescriptor(tensor);
        calls.cudnnDestroyFilterDescriptor(w);
        calls.cudnnDestroyConvolutionDescriptor(convolution);
        for (const activation of [rectifier, identity]) calls.cudnnDestroyActivationDescriptor(activation);
      },
    };
  }

  close(): void {
    this.#calls.cudnnDestroy(this.#handle);
  }

  get #type(): number {
    return this.#precision === "bf16" ? CUDNN.CUDNN_DATA_BFLOAT16 : CUDNN.CUDNN_DATA_FLOAT;
  }

  #tensor(batch: number, channels: number, height: number, width: number): Pointer {
    const tensor = created((out) => this.#calls.cudnnCreateTensorDescriptor(out));
    const { CUDNN_TENSOR_NHWC } = CUDNN;
    this.#calls.cudnnSetTensor4dDescriptor(tensor, CUDNN_TENSOR_NHWC, this.#type, batch, channels, height, width);
    return tensor;
  }
}

/** @throws AlexnetError "engine" when it can't be loaded. */
export function loadDnn(driverVersion: number): NativeLibrary {
  return load("cudnn", driverVersion);
}

/** "9.10.2" of 91002. */
export function dnnVersion(library: NativeLibrary): string {
  const version = Number(bindPlain(library, "cudnnGetVersion")());
  return `${Math.floor(version / 10_000)}.${Math.floor(version / 100) % 100}.${version % 100}`;
}

/** undefined where the library refuses, which is how it says that it doesn't support it. */
function bytes(write: (out: BigUint64Array) => void): number | undefined {
  try {
    return Number(created(write));
  } catch {
    return undefined;
  }
}
