import { AlexnetError } from "../../../errors.js";
import type { NativeLibrary } from "../../../system/native/library.js";
import { memoryAt, type Pointer, textAt, writtenInteger, writtenPointer } from "../../../system/native/memory.js";
import { type Handle, type NativeObject, Owner } from "../../../system/native/objects.js";
import type { CheckedFunctions } from "../../../system/native/signatures.js";
import { bind, load, NativeError, type Scene } from "./bind.js";
import { CUDA, driverAnswers, driverCalls } from "./signatures.js";

/** Memory of a device, from an address on; not cleared. */
export type DeviceMemory = NativeObject<"device memory">;
/** Memory of this process that a device reads and writes by itself. */
export type HostMemory = NativeObject<"host memory">;
/** Memory of this process that a device is let read by itself as long as this is open. */
export type PinnedMemory = NativeObject<"pinned memory">;
export type Event = NativeObject<"event">;
export type Stream = Handle<"stream">;

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
  readonly calls: CheckedFunctions<typeof driverCalls>;
  readonly library: NativeLibrary;
  /** 12080 is CUDA 12.8. */
  readonly version: number;
  readonly devices: readonly DeviceFacts[];
  /** cuEventQuery: its status says whether an event has happened. */
  readonly query: (event: Event) => number;
}

/** @throws AlexnetError "engine" when there is no driver or it does not work. */
export function openDriver(scene: Scene): Driver {
  const library = load("driver");
  const calls: CheckedFunctions<typeof driverCalls> = bind(library, "CUDA", driverCalls, scene, (status) =>
    explain(calls, status),
  );
  calls.cuInit(0);
  const version = writtenInteger((out) => calls.cuDriverGetVersion(out));
  const count = writtenInteger((out) => calls.cuDeviceGetCount(out));
  const devices = Array.from({ length: count }, (_, ordinal) => describe(calls, ordinal));
  return { calls, library, version, devices, query: library.bind(driverAnswers).cuEventQuery };
}

/** "12.8" of 12080: the CUDA that the driver is for. */
export function driverVersion({ version }: Pick<Driver, "version">): string {
  return `${Math.floor(version / 1000)}.${(version % 1000) / 10}`;
}

function explain(calls: CheckedFunctions<typeof driverCalls>, status: number): string {
  try {
    const name = textAt(writtenPointer((out) => calls.cuGetErrorName(status, out)));
    return `${name}: ${textAt(writtenPointer((out) => calls.cuGetErrorString(status, out)))}`;
  } catch {
    return `status ${status}`; // the driver has no text for it
  }
}

function describe(calls: Driver["calls"], ordinal: number): DeviceFacts {
  const device = writtenInteger((out) => calls.cuDeviceGet(out, ordinal));
  const name = new Uint8Array(256);
  calls.cuDeviceGetName(name, name.length, device);
  const attribute = (which: number): number => writtenInteger((out) => calls.cuDeviceGetAttribute(out, which, device));
  return {
    name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
    major: attribute(CUDA.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
    minor: attribute(CUDA.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
    multiprocessors: attribute(CUDA.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
    memoryBytes: Number(writtenPointer((out) => calls.cuDeviceTotalMem_v2(out, device))),
  };
}

/** One device's context, current on the calling thread, and its streams, memory and graphs. */
export class Device {
  readonly facts: DeviceFacts;
  /** All work of programs. */
  readonly stream: Stream;
  /** Brings pictures over beside it. */
  readonly copyStream: Stream;
  readonly #calls: Driver["calls"];
  readonly #query: Driver["query"];
  readonly #scene: Scene;
  readonly #owner = new Owner();

  /** @throws AlexnetError "engine" when there is no device, or it is too old. */
  constructor(driver: Driver, scene: Scene, ordinal = 0) {
    const facts = driver.devices[ordinal];
    if (facts === undefined)
      throw new AlexnetError("engine", "CUDA: the driver finds no device; see CUDA_VISIBLE_DEVICES and nvidia-smi");
    if (facts.major < LEAST_CAPABILITY)
      throw new AlexnetError(
        "engine",
        `${facts.name}: compute capability ${facts.major}.${facts.minor} is too old; it takes ${LEAST_CAPABILITY}.0 (Ampere, 2020) or newer`,
        { hint: { advice: "compute on the CPU", option: "engine", value: "onednn" } },
      );
    const { calls } = driver;
    this.#calls = calls;
    this.#query = driver.query;
    this.#scene = scene;
    this.facts = facts;
    const device = writtenInteger((out) => calls.cuDeviceGet(out, ordinal));
    try {
      const context = this.#owner.create(
        "context",
        (out) => calls.cuDevicePrimaryCtxRetain(out, device),
        () => calls.cuDevicePrimaryCtxRelease_v2(device),
      );
      calls.cuCtxSetCurrent(context);
      this.stream = this.#createStream();
      this.copyStream = this.#createStream();
    } catch (error) {
      this.#owner.close();
      throw error;
    }
  }

  #createStream(): Stream {
    const calls = this.#calls;
    return this.#owner.create(
      "stream",
      (out) => calls.cuStreamCreate(out, CUDA.CU_STREAM_NON_BLOCKING),
      calls.cuStreamDestroy_v2,
    );
  }

  get freeBytes(): number {
    const total = new BigUint64Array(1);
    return Number(writtenPointer((out) => this.#calls.cuMemGetInfo_v2(out, total)));
  }

  /** Device memory, not cleared. @throws NativeError where memory is short. */
  allocate(bytes: number): DeviceMemory {
    const calls = this.#calls;
    return this.#owner.create(
      "device memory",
      (out) => calls.cuMemAlloc_v2(out, Math.max(bytes, 1)),
      calls.cuMemFree_v2,
    );
  }

  /** Host memory that the device reads and writes by itself, and where it is in this process. */
  allocateHost(bytes: number): { readonly memory: HostMemory; readonly buffer: ArrayBuffer } {
    const calls = this.#calls;
    const memory = this.#owner.create("host memory", (out) => calls.cuMemHostAlloc(out, bytes, 0), calls.cuMemFreeHost);
    return { memory, buffer: memoryAt(memory.address, bytes) };
  }

  /** Lets the device read host memory by itself; it must stay where it is until what this gives is closed. */
  pin(address: Pointer, bytes: number): PinnedMemory {
    const calls = this.#calls;
    const register = (): Pointer => {
      calls.cuMemHostRegister_v2(address, bytes, 0);
      return address;
    };
    return this.#owner.adopt("pinned memory", register, calls.cuMemHostUnregister);
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
  createEvent({ timed = false } = {}): Event {
    const calls = this.#calls;
    const flags = timed ? CUDA.CU_EVENT_DEFAULT : CUDA.CU_EVENT_DISABLE_TIMING;
    return this.#owner.create("event", (out) => calls.cuEventCreate(out, flags), calls.cuEventDestroy_v2);
  }

  record(event: Event, stream = this.stream): void {
    this.#calls.cuEventRecord(event, stream);
  }

  /** While capturing: makes recording a part of the graph, so that each of its runs does it. */
  recordInGraph(event: Event): void {
    this.#calls.cuEventRecordWithFlags(event, this.stream, CUDA.CU_EVENT_RECORD_EXTERNAL);
  }

  hasHappened(event: Event): boolean {
    return this.#query(event) !== CUDA.CUDA_ERROR_NOT_READY; // errors come when it is waited for
  }

  /** @param what for errors: what the event ends */
  waitUntil(event: Event, what: string): void {
    this.#scene.doing = what;
    try {
      this.#calls.cuEventSynchronize(event);
    } finally {
      this.#scene.doing = "";
    }
  }

  /** What `stream` does from now on begins after the event. */
  waitFor(event: Event, stream = this.stream): void {
    this.#calls.cuStreamWaitEvent(stream, event, 0);
  }

  /** Milliseconds between two events that have happened. */
  elapsed(from: Event, to: Event): number {
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
    const graph = this.#endCapture();
    try {
      const executable = this.#owner.create(
        "graph",
        (out) => calls.cuGraphInstantiateWithFlags(out, graph, 0n),
        calls.cuGraphExecDestroy,
      );
      return {
        launch: () => calls.cuGraphLaunch(executable, this.stream),
        close: () => executable.close(),
      };
    } finally {
      graph.close();
    }
  }

  #abandonCapture(): void {
    try {
      this.#endCapture().close();
    } catch {
      // What broke the capture is what to tell.
    }
  }

  #endCapture(): NativeObject<"captured graph"> {
    const calls = this.#calls;
    return this.#owner.create(
      "captured graph",
      (out) => calls.cuStreamEndCapture(this.stream, out),
      (graph) => graph !== 0n && calls.cuGraphDestroy(graph), // a capture that was broken off may give none
    );
  }

  /** Gives back the context, and before it all that was made on it and is open still. */
  close(): void {
    this.#owner.close();
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
