import { AlexnetError } from "../../errors.js";
import {
  bind,
  bindPlain,
  type Calls,
  created,
  integer,
  load,
  NativeError,
  type NativeLibrary,
  type Pointer,
  type Scene,
  textAt,
} from "./native.js";
import { CUDA, driverCalls } from "./signatures.js";

/** Since when the kernels' bf16 instructions and the libraries' kernels are there: Ampere. */
const LEAST_CAPABILITY = 8;

export interface DeviceFacts {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  readonly multiprocessors: number;
  readonly memoryBytes: number;
}

/** NVIDIA's driver, initialised; makes no context yet. */
export interface Driver {
  readonly calls: Calls<typeof driverCalls>;
  readonly library: NativeLibrary;
  /** 12080 is CUDA 12.8. */
  readonly version: number;
  readonly devices: readonly DeviceFacts[];
  /** cuEventQuery: its status says whether an event has happened. */
  readonly query: (event: Pointer) => unknown;
}

/** @throws AlexnetError "engine" when there is no driver or it does not work. */
export function openDriver(scene: Scene): Driver {
  const library = load("driver");
  const calls: Calls<typeof driverCalls> = bind(library, "CUDA", driverCalls, scene, (status) =>
    explain(calls, status),
  );
  calls.cuInit(0);
  const version = integer((out) => calls.cuDriverGetVersion(out));
  const count = integer((out) => calls.cuDeviceGetCount(out));
  const devices = Array.from({ length: count }, (_, ordinal) => describe(calls, ordinal));
  return { calls, library, version, devices, query: bindPlain(library, "cuEventQuery") };
}

/** "12.8" of 12080: the CUDA that the driver is for. */
export function driverVersion({ version }: Pick<Driver, "version">): string {
  return `${Math.floor(version / 1000)}.${(version % 1000) / 10}`;
}

function explain(calls: Calls<typeof driverCalls>, status: number): string {
  try {
    const name = textAt(created((out) => calls.cuGetErrorName(status, out)));
    return `${name}: ${textAt(created((out) => calls.cuGetErrorString(status, out)))}`;
  } catch {
    return `status ${status}`; // the driver has no text for it
  }
}

function describe(calls: Driver["calls"], ordinal: number): DeviceFacts {
  const device = integer((out) => calls.cuDeviceGet(out, ordinal));
  const name = new Uint8Array(256);
  calls.cuDeviceGetName(name, name.length, device);
  const attribute = (which: number): number => integer((out) => calls.cuDeviceGetAttribute(out, which, device));
  return {
    name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
    major: attribute(CUDA.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
    minor: attribute(CUDA.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
    multiprocessors: attribute(CUDA.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
    memoryBytes: Number(created((out) => calls.cuDeviceTotalMem_v2(out, device))),
  };
}

/** One device's context, current on the calling thread, and its streams, memory and graphs. */
export class Device {
  readonly facts: DeviceFacts;
  /** All work of programs. */
  readonly stream: Pointer;
  /** Brings pictures over beside it. */
  readonly copyStream: Pointer;
  readonly #calls: Driver["calls"];
  readonly #query: Driver["query"];
  readonly #scene: Scene;
  readonly #ordinal: number;

  /** @throws AlexnetError "engine" when there is no device, or it is too old. */
  constructor(driver: Driver, scene: Scene, ordinal = 0) {
    const facts = driver.devices[ordinal];
    if (facts === undefined)
      throw new AlexnetError("engine", "CUDA: the driver finds no device; see CUDA_VISIBLE_DEVICES and nvidia-smi");
    if (facts.major < LEAST_CAPABILITY)
      throw new AlexnetError(
        "engine",
        `${facts.name}: compute capability ${facts.major}.${facts.minor} is too old; it takes ${LEAST_CAPABILITY}.0 (Ampere, 2020) or newer, or use --engine onednn`,
      );
    const { calls } = driver;
    this.#calls = calls;
    this.#query = driver.query;
    this.#scene = scene;
    this.facts = facts;
    this.#ordinal = integer((out) => calls.cuDeviceGet(out, ordinal));
    calls.cuCtxSetCurrent(created((out) => calls.cuDevicePrimaryCtxRetain(out, this.#ordinal)));
    this.stream = created((out) => calls.cuStreamCreate(out, CUDA.CU_STREAM_NON_BLOCKING));
    this.copyStream = created((out) => calls.cuStreamCreate(out, CUDA.CU_STREAM_NON_BLOCKING));
  }

  get freeBytes(): number {
    const total = new BigUint64Array(1);
    return Number(created((out) => this.#calls.cuMemGetInfo_v2(out, total)));
  }

  /** Device memory, not cleared. @throws NativeError where memory is short. */
  allocate(bytes: number): Pointer {
    return created((out) => this.#calls.cuMemAlloc_v2(out, Math.max(bytes, 1)));
  }

  free(address: Pointer): void {
    this.#calls.cuMemFree_v2(address);
  }

  /** Host memory that the device reads and writes by itself. Freed by `freeHost`. */
  allocateHost(bytes: number): Pointer {
    return created((out) => this.#calls.cuMemHostAlloc(out, bytes, 0));
  }

  freeHost(address: Pointer): void {
    this.#calls.cuMemFreeHost(address);
  }

  /** Lets the device read host memory by itself; it must stay where it is until `unpin`. */
  pin(address: Pointer, bytes: number): void {
    this.#calls.cuMemHostRegister_v2(address, bytes, 0);
  }

  unpin(address: Pointer): void {
    this.#calls.cuMemHostUnregister(address);
  }

  copyIn(to: Pointer, from: Pointer | ArrayBufferView, bytes: number, stream = this.stream): void {
    this.#calls.cuMemcpyHtoDAsync_v2(to, from, bytes, stream);
  }

  copyOut(to: Pointer | ArrayBufferView, from: Pointer, bytes: number): void {
    this.#calls.cuMemcpyDtoHAsync_v2(to, from, bytes, this.stream);
  }

  copy(to: Pointer, from: Pointer, bytes: number): void {
    this.#calls.cuMemcpyDtoDAsync_v2(to, from, bytes, this.stream);
  }

  clear(address: Pointer, bytes: number): void {
    if (bytes > 0) this.#calls.cuMemsetD8Async(address, 0, bytes, this.stream);
  }

  wait(stream = this.stream): void {
    this.#calls.cuStreamSynchronize(stream);
  }

  /** @param timed for `elapsed` too, not only to wait for */
  createEvent({ timed = false } = {}): Pointer {
    const flags = timed ? CUDA.CU_EVENT_DEFAULT : CUDA.CU_EVENT_DISABLE_TIMING;
    return created((out) => this.#calls.cuEventCreate(out, flags));
  }

  destroyEvent(event: Pointer): void {
    this.#calls.cuEventDestroy_v2(event);
  }

  record(event: Pointer, stream = this.stream): void {
    this.#calls.cuEventRecord(event, stream);
  }

  /** While capturing: makes recording a part of the graph, so that each of its runs does it. */
  recordInGraph(event: Pointer): void {
    this.#calls.cuEventRecordWithFlags(event, this.stream, CUDA.CU_EVENT_RECORD_EXTERNAL);
  }

  hasHappened(event: Pointer): boolean {
    return this.#query(event) !== CUDA.CUDA_ERROR_NOT_READY; // errors come when it is waited for
  }

  /** @param what for errors: what the event ends */
  waitUntil(event: Pointer, what: string): void {
    this.#scene.doing = what;
    try {
      this.#calls.cuEventSynchronize(event);
    } finally {
      this.#scene.doing = "";
    }
  }

  /** What `stream` does from now on begins after the event. */
  waitFor(event: Pointer, stream = this.stream): void {
    this.#calls.cuStreamWaitEvent(stream, event, 0);
  }

  /** Milliseconds between two events that have happened. */
  elapsed(from: Pointer, to: Pointer): number {
    this.#calls.cuEventSynchronize(to);
    const milliseconds = new Float32Array(1);
    this.#calls.cuEventElapsedTime(milliseconds, from, to);
    return milliseconds[0];
  }

  /** Everything that `work` puts on the stream as one graph, which it does not run. */
  capture(work: () => void): Graph {
    const calls = this.#calls;
    calls.cuStreamBeginCapture_v2(this.stream, CUDA.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    try {
      work();
    } catch (error) {
      this.#abandonCapture();
      throw error;
    }
    const graph = created((out) => calls.cuStreamEndCapture(this.stream, out));
    const executable = created((out) => calls.cuGraphInstantiateWithFlags(out, graph, 0n));
    calls.cuGraphDestroy(graph);
    return {
      launch: () => calls.cuGraphLaunch(executable, this.stream),
      close: () => calls.cuGraphExecDestroy(executable),
    };
  }

  #abandonCapture(): void {
    try {
      const graph = created((out) => this.#calls.cuStreamEndCapture(this.stream, out));
      if (graph !== 0n) this.#calls.cuGraphDestroy(graph);
    } catch {
      // what broke the capture is what to tell
    }
  }

  close(): void {
    this.#calls.cuStreamDestroy_v2(this.stream);
    this.#calls.cuStreamDestroy_v2(this.copyStream);
    this.#calls.cuDevicePrimaryCtxRelease_v2(this.#ordinal);
  }
}

export interface Graph {
  /** Puts all of it on the stream. */
  launch(): void;
  close(): void;
}

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof NativeError && error.status === CUDA.CUDA_ERROR_OUT_OF_MEMORY;
}
