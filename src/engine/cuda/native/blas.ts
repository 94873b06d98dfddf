import { AlexnetError } from "../../../errors.js";
import type { NativeLibrary } from "../../../system/native/library.js";
import { type Pointer, writtenInteger } from "../../../system/native/memory.js";
import { type Handle, Owner } from "../../../system/native/objects.js";
import type { CheckedFunctions } from "../../../system/native/signatures.js";
import type { Precision } from "../../engine.js";
import { bind, load, type Scene, versionText } from "./bind.js";
import type { Device } from "./driver.js";
import { bytesOf, type NumberFormat } from "./format.js";
import { blasAnswers, blasCalls, CUBLASLT, layouts } from "./signatures.js";

/** Of the library's scratch memory: what it is recommended on Hopper. */
export const BLAS_WORKSPACE = 32 << 20;

export interface Matrix {
  readonly address: Pointer;
  readonly format: NumberFormat;
  /** Values from one row to the next, as stored. */
  readonly stride: number;
  /** Stored the other way round. */
  readonly transposed?: boolean;
}

/** d = a b, row-major: (rows, depth) and (depth, columns) to (rows, columns). */
export interface ProductSpec {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly a: Matrix;
  readonly b: Matrix;
  readonly d: Matrix;
  /** Adds to d instead of overwriting it. */
  readonly accumulate?: boolean;
  /** Afterwards, one bias for each column, and max(0, …). In d's format. See `multiply` of product.ts. */
  readonly bias?: { readonly address: Pointer; readonly rectify: boolean };
  /** The sums of a's rows, one for each row of d, are written here as well. In d's format. */
  readonly rowSums?: Pointer;
  readonly workspace: { readonly address: Pointer; readonly bytes: number };
}

type Operation = Handle<"matrix product">;
type MatrixLayout = Handle<"matrix layout">;

/** A product that is ready to run as often as wanted. */
export interface Product {
  run(): void;
  close(): void;
}

/** cuBLASLt. Its matrices are column-major: a row-major product is theirs of the transposes in the other order. */
export class Blas {
  readonly version: string;
  readonly path: string;
  readonly #calls: CheckedFunctions<typeof blasCalls>;
  readonly #owner = new Owner();
  readonly #handle: Handle<"cuBLASLt handle">;
  readonly #device: Device;
  readonly #precision: Precision;

  constructor(library: NativeLibrary, device: Device, precision: Precision, scene: Scene) {
    this.#calls = bindBlas(library, scene);
    this.version = blasVersion(library);
    this.path = library.path;
    this.#device = device;
    this.#precision = precision;
    this.#handle = this.#owner.create("cuBLASLt handle", this.#calls.cublasLtCreate, this.#calls.cublasLtDestroy);
  }

  /** @throws AlexnetError "engine" when the library has no algorithm for it */
  prepare(spec: ProductSpec): Product {
    return this.#owner.scopeFor((own) => ({ run: this.#prepare(spec, own), close: () => own.close() }));
  }

  close(): void {
    this.#owner.close();
  }

  #prepare(spec: ProductSpec, own: Owner): () => void {
    const { rows, columns, depth, a, b, d, accumulate = false, workspace } = spec;
    const operation = this.#operation(spec, own);
    const left = this.#layout(b, depth, columns, own);
    const right = this.#layout(a, rows, depth, own);
    const result = this.#layout(d, rows, columns, own);
    const algorithm = this.#algorithm(operation, left, right, result, spec);
    if (algorithm === undefined)
      throw new AlexnetError(
        "engine",
        `cuBLASLt: no algorithm to multiply ${rows}x${depth} by ${depth}x${columns} as asked for`,
      );
    const { stream } = this.#device;
    const [one, beta] = [Float32Array.of(1), Float32Array.of(accumulate ? 1 : 0)];
    return () =>
      this.#calls.cublasLtMatmul(
        this.#handle,
        operation,
        one,
        b.address,
        left,
        a.address,
        right,
        beta,
        d.address,
        result,
        d.address,
        result,
        algorithm,
        workspace.address,
        workspace.bytes,
        stream,
      );
  }

  #operation({ a, b, d, bias, rowSums }: ProductSpec, own: Owner): Operation {
    const calls = this.#calls;
    const compute = this.#precision === "tf32" ? CUBLASLT.CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLASLT.CUBLAS_COMPUTE_32F;
    const operation = own.create(
      "matrix product",
      (out) => calls.cublasLtMatmulDescCreate(out, compute, CUBLASLT.CUDA_R_32F),
      calls.cublasLtMatmulDescDestroy,
    );
    const set = (attribute: number, value: Int32Array | BigUint64Array): void =>
      calls.cublasLtMatmulDescSetAttribute(operation, attribute, value, value.byteLength);
    const transposition = (matrix: Matrix): Int32Array =>
      Int32Array.of(matrix.transposed ? CUBLASLT.CUBLAS_OP_T : CUBLASLT.CUBLAS_OP_N);
    set(CUBLASLT.CUBLASLT_MATMUL_DESC_TRANSA, transposition(b));
    set(CUBLASLT.CUBLASLT_MATMUL_DESC_TRANSB, transposition(a));
    const vector = bias?.address ?? rowSums;
    if (vector !== undefined) {
      const withBias = bias?.rectify ? CUBLASLT.CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT.CUBLASLT_EPILOGUE_BIAS;
      set(CUBLASLT.CUBLASLT_MATMUL_DESC_EPILOGUE, Int32Array.of(bias ? withBias : CUBLASLT.CUBLASLT_EPILOGUE_BGRADB));
      set(CUBLASLT.CUBLASLT_MATMUL_DESC_BIAS_POINTER, BigUint64Array.of(vector));
      set(CUBLASLT.CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, Int32Array.of(typeOf(d.format)));
    }
    return operation;
  }

  /** The layout of a row-major (rows, columns) matrix as the library sees it. */
  #layout({ format, stride, transposed = false }: Matrix, rows: number, columns: number, own: Owner): MatrixLayout {
    const [inner, outer] = transposed ? [rows, columns] : [columns, rows];
    const calls = this.#calls;
    return own.create(
      "matrix layout",
      (out) => calls.cublasLtMatrixLayoutCreate(out, typeOf(format), inner, outer, stride),
      calls.cublasLtMatrixLayoutDestroy,
    );
  }

  /** The first of the library's own suggestions, the same each time; undefined where it has none. */
  #algorithm(operation: Operation, left: MatrixLayout, right: MatrixLayout, result: MatrixLayout, spec: ProductSpec) {
    const calls = this.#calls;
    const preference = this.#owner.create(
      "matrix product preference",
      calls.cublasLtMatmulPreferenceCreate,
      calls.cublasLtMatmulPreferenceDestroy,
    );
    const set = (attribute: number, value: BigUint64Array | Uint32Array): void =>
      calls.cublasLtMatmulPreferenceSetAttribute(preference, attribute, value, value.byteLength);
    set(CUBLASLT.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, BigUint64Array.of(BigInt(spec.workspace.bytes)));
    // Sums of a product's parts are kept in float32, never in the result's own format.
    set(
      CUBLASLT.CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
      Uint32Array.of(CUBLASLT.CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE),
    );
    set(CUBLASLT.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignmentOf(spec.b));
    set(CUBLASLT.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignmentOf(spec.a));
    set(CUBLASLT.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignmentOf(spec.d));
    set(CUBLASLT.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignmentOf(spec.d));
    const { size, fields } = layouts.cublasLtMatmulHeuristicResult_t;
    const found = new Uint8Array(size);
    try {
      const count = writtenInteger((out) =>
        calls.cublasLtMatmulAlgoGetHeuristic(
          this.#handle,
          operation,
          left,
          right,
          result,
          result,
          preference,
          1,
          found,
          out,
        ),
      );
      const state = new DataView(found.buffer).getInt32(fields.state, true);
      return count > 0 && state === 0 ? found.slice(fields.algo, fields.workspaceSize) : undefined;
    } catch {
      return undefined; // how the library says that it doesn't support it
    } finally {
      preference.close();
    }
  }
}

/** @throws AlexnetError "engine" when it can't be loaded. */
export function loadBlas(driverVersion: number): NativeLibrary {
  return load("cublasLt", driverVersion);
}

/** The library's functions, whose errors say what it says itself. */
export function bindBlas(library: NativeLibrary, scene: Scene): CheckedFunctions<typeof blasCalls> {
  const { cublasLtGetStatusString } = library.bind(blasAnswers);
  return bind(library, "cuBLASLt", blasCalls, scene, (status) => String(cublasLtGetStatusString(status)));
}

/** "12.9.1" */
export function blasVersion(library: NativeLibrary): string {
  return versionText(library.bind(blasAnswers).cublasLtGetVersion());
}

function typeOf(format: NumberFormat): number {
  return format === "bf16" ? CUBLASLT.CUDA_R_16BF : CUBLASLT.CUDA_R_32F;
}

/** What all rows of a matrix begin at multiples of, in bytes: a power of 2 up to 256. */
function alignmentOf({ address, format, stride }: Matrix): Uint32Array {
  const places = [address, BigInt(stride * bytesOf(format))];
  let alignment = 256n;
  while (places.some((place) => place % alignment !== 0n)) alignment /= 2n;
  return Uint32Array.of(Number(alignment));
}
