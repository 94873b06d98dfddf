import { AlexnetError } from "../../errors.js";
import { type AdapterFacts, factsOf, findAdapter, loadWebGpu } from "./adapter.js";
import { Tuning } from "./tuning.js";

/** Numbers that the standard gives to a buffer's uses, and to mapping. */
export const Usage = { mapRead: 1, copyFrom: 4, copyTo: 8, storage: 128, queries: 512 } as const;
const MAP_READ = 1;

/** Bytes that are read back at once where much is read. */
const READ_BYTES = 32 << 20;

/** The limits that an adapter is asked for: all that it has, as fc6's weights alone take more than every adapter must. */
const wanted = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupStorageSize",
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** What one buffer, one binding and one dispatch may be at the most. */
export interface Limits {
  readonly bufferBytes: number;
  readonly bindingBytes: number;
  /** Floating-point operations: a watchdog resets devices that don't answer for seconds. */
  readonly dispatchFlops: number;
}

const DISPATCH_FLOPS = 2e11;

/** A device of an adapter, and what went wrong on it. */
export class Gpu {
  readonly facts: AdapterFacts;
  readonly limits: Limits;
  readonly library = "WebGPU by Dawn";
  readonly tuning: Tuning;
  /** What is being made, for errors. */
  doing = "";
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  #failure: AlexnetError | undefined;
  #closed = false;

  constructor(
    readonly device: GPUDevice,
    adapter: GPUAdapter,
    /** Without it the adapter is lost. */
    readonly gpu: GPU,
    limits: Partial<Limits> = {},
  ) {
    this.facts = factsOf(adapter);
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    this.limits = {
      bufferBytes: maxBufferSize,
      bindingBytes: maxStorageBufferBindingSize,
      dispatchFlops: DISPATCH_FLOPS,
      ...limits,
    };
    this.tuning = new Tuning(this, [this.library, this.facts.name, JSON.stringify(limitsOf(device.limits))].join("\n"));
    device.onuncapturederror = ({ error }) => this.#fail(error.message);
    device.lost.then(({ reason, message }) => {
      if (!this.#closed) this.#fail(`the device was lost (${reason}): ${message}`);
    });
  }

  /** @throws AlexnetError "engine" when anything failed on the device since it was opened */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The pipeline of a shader; compiled once. @throws AlexnetError "engine" naming `label` and what the compiler says */
  pipeline(code: string, label: string): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(code);
    if (known !== undefined) return known;
    const made = this.#compile(code, label);
    this.#pipelines.set(code, made);
    return made;
  }

  /**
   * A buffer for shaders, all zeros.
   * @throws AlexnetError "memory" when the device has not so much
   */
  async allocate(bytes: number, usage: number = Usage.storage | Usage.copyFrom | Usage.copyTo): Promise<GPUBuffer> {
    const { device } = this;
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    const buffer = device.createBuffer({ size: bytes, usage });
    const scopes = [device.popErrorScope(), device.popErrorScope()]; // at once: others push theirs while these are awaited
    const error = (await Promise.all(scopes)).find((each) => each !== null);
    if (error === undefined || error === null) return buffer;
    buffer.destroy();
    throw new AlexnetError(
      "memory",
      `webgpu: ${this.facts.name} can't give ${(bytes / 1e9).toFixed(1)} GB: ${oneLine(error.message)}`,
      { hint: { advice: "give a smaller batch", option: "batchSize" } },
    );
  }

  /** Waits for all that was asked for. */
  async wait(): Promise<void> {
    await this.device.queue.onSubmittedWorkDone();
    this.check();
  }

  /** A copy of a buffer's bytes, once all that was asked for before is done. */
  async read(from: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const copy = new Uint8Array(bytes);
    const size = Math.min(bytes, READ_BYTES);
    if (size === 0) return copy.buffer;
    const staging = await this.allocate(size, Usage.mapRead | Usage.copyTo);
    try {
      for (let start = 0; start < bytes; start += size) {
        const length = Math.min(size, bytes - start);
        const encoder = this.device.createCommandEncoder();
        encoder.copyBufferToBuffer(from, offset + start, staging, 0, length);
        this.device.queue.submit([encoder.finish()]);
        copy.set(new Uint8Array(await this.mapped(staging, length, "reading")), start);
        staging.unmap();
      }
    } finally {
      staging.destroy();
    }
    return copy.buffer;
  }

  /** A buffer's bytes, once all that was asked for before is done; the caller unmaps it. */
  async mapped(buffer: GPUBuffer, bytes: number, what: string): Promise<ArrayBuffer> {
    try {
      await buffer.mapAsync(MAP_READ, 0, bytes);
    } catch (error) {
      this.check();
      throw new AlexnetError("engine", `webgpu: ${what} failed: ${oneLine(String((error as Error).message))}`, {
        cause: error,
      });
    }
    this.check();
    return buffer.getMappedRange(0, bytes);
  }

  close(): void {
    this.#closed = true;
    this.#pipelines.clear();
    this.device.destroy();
  }

  async #compile(code: string, label: string): Promise<GPUComputePipeline> {
    const { device } = this;
    device.pushErrorScope("validation"); // else what is wrong with a shader is the device's failure
    const module = device.createShaderModule({ code, label });
    const refused = device.popErrorScope();
    try {
      return await device.createComputePipelineAsync({ label, layout: "auto", compute: { module } });
    } catch (error) {
      const reason = (await refused)?.message ?? (error as Error).message;
      throw new AlexnetError("engine", `webgpu: ${label}: ${oneLine(reason)}`, { cause: error });
    }
  }

  #fail(message: string): void {
    const where = this.doing === "" ? "" : `${this.doing}: `;
    this.#failure ??= new AlexnetError("engine", `webgpu: ${this.facts.name}: ${where}${oneLine(message)}`);
  }
}

export interface GpuOptions {
  /** Refuses an adapter that computes on the processor. */
  readonly hardwareOnly?: boolean;
  /** Lower limits than the device's: to see what is done where they are. */
  readonly limits?: Partial<Limits>;
}

/** @throws AlexnetError "engine" saying what is missing */
export async function openGpu(options: GpuOptions): Promise<Gpu> {
  const gpu = await loadWebGpu();
  const adapter = await findAdapter(gpu, options);
  const features = (["timestamp-query"] as const).filter((feature) => adapter.features.has(feature));
  const requiredLimits = limitsOf(adapter.limits);
  try {
    const device = await adapter.requestDevice({ requiredLimits, requiredFeatures: features });
    return new Gpu(device, adapter, gpu, options.limits);
  } catch (error) {
    throw new AlexnetError("engine", `webgpu: ${factsOf(adapter).name}: ${oneLine((error as Error).message)}`, {
      cause: error,
    });
  }
}

function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  return Object.fromEntries(wanted.map((name) => [name, limits[name]]));
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, " ").trim();
}
