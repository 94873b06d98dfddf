import { existsSync } from "node:fs";
import { AlexnetError } from "../../errors.js";

/** Where WebGPU comes from: Dawn by the npm package `webgpu`, loaded late, as most machines have no use for it. */

/** What is there to compute on. */
export interface AdapterFacts {
  /** "Apple M3, metal-3"; "SwiftShader driver 5.0.0". */
  readonly name: string;
  /** It computes on the processor: right, and slow. */
  readonly software: boolean;
}

/** The package's binaries, by Node.js's names of platforms. */
const PLATFORMS: Readonly<Record<string, string>> = {
  "darwin-arm64": "macOS",
  "darwin-x64": "macOS",
  "linux-x64": "Linux on x64",
  "linux-arm64": "Linux on arm64",
  "win32-x64": "Windows on x64",
  "win32-arm64": "Windows on arm64",
};

/** Times are as exact as the device has them: browsers round them against spying pages. */
const OPTIONS = ["disable-dawn-features=timestamp_quantization"];

/** @throws AlexnetError "engine" where the package isn't installed, or has nothing for this machine */
export async function loadWebGpu(): Promise<GPU> {
  const platform = `${process.platform}-${process.arch}`;
  if (PLATFORMS[platform] === undefined) {
    const names = [...new Set(Object.values(PLATFORMS))].join(", ");
    throw new AlexnetError(
      "engine",
      `webgpu: the npm package webgpu has no binary for ${platform}; it has those for ${names}`,
    );
  }
  try {
    const { create } = await import("webgpu");
    return create(OPTIONS);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_MODULE_NOT_FOUND")
      throw new AlexnetError(
        "engine",
        "webgpu: the optional npm package webgpu is not installed here; install it beside alexnet: npm install webgpu",
        { cause: error },
      );
    throw new AlexnetError("engine", `webgpu: the npm package webgpu can't be loaded: ${message.split("\n", 1)}`, {
      cause: error,
    });
  }
}

export function factsOf({ info }: GPUAdapter): AdapterFacts {
  const { description, vendor, architecture, device } = info;
  const name = description || [vendor, architecture, device].filter((part) => part !== "").join(" ");
  return { name: name || "an adapter without a name", software: info.isFallbackAdapter };
}

/**
 * The quickest adapter.
 * @param hardwareOnly refuses one that computes on the processor
 * @throws AlexnetError "engine" where there is none
 */
export async function findAdapter(gpu: GPU, { hardwareOnly = false } = {}): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null)
    throw new AlexnetError(
      "engine",
      `webgpu: there is no adapter here${process.platform === "linux" ? "; on Linux it takes a Vulkan driver and libvulkan.so.1 (Debian: libvulkan1, mesa-vulkan-drivers)" : ""}`,
    );
  const { name, software } = factsOf(adapter);
  if (software && hardwareOnly)
    throw new AlexnetError("engine", `webgpu: the only adapter here computes on the processor (${name})`);
  return adapter;
}

/** Whether it is worth while to look for an adapter: on Linux, whether there is a device, or the user names drivers. */
export function mayHaveAdapter(): boolean {
  if (process.platform !== "linux") return true;
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES } = process.env;
  return ["/dev/dri", "/dev/dxg"].some(existsSync) || Boolean(VK_DRIVER_FILES ?? VK_ICD_FILENAMES);
}

/** What WebGPU reaches on this machine. */
export interface AdapterInventory {
  readonly adapters: readonly AdapterFacts[];
  /** What keeps the engine from running, in the words of its errors. */
  readonly missing?: string;
}

/** Looks for adapters; starts nothing on any of them. */
export async function listAdapters(): Promise<AdapterInventory> {
  if (!mayHaveAdapter()) return { adapters: [], missing: "there is no GPU device here" };
  try {
    const gpu = await loadWebGpu();
    const kinds: readonly GPURequestAdapterOptions[] = [
      { powerPreference: "high-performance" },
      { powerPreference: "low-power" },
      { forceFallbackAdapter: true },
    ];
    const found = new Map<string, AdapterFacts>();
    for (const kind of kinds) {
      const adapter = await gpu.requestAdapter(kind);
      if (adapter !== null) found.set(factsOf(adapter).name, factsOf(adapter));
    }
    return { adapters: [...found.values()], missing: found.size === 0 ? "there is no adapter" : undefined };
  } catch (error) {
    if (!(error instanceof AlexnetError)) throw error;
    return { adapters: [], missing: error.message };
  }
}
