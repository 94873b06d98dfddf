import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../engine/cuda/emulator", import.meta.url));
const NAMES = ["libcuda.so.1", "libnvrtc.so.12", "libcublasLt.so.12", "libcudnn.so.9"];

/**
 * Builds the emulator, unless an earlier run did, and has engines opened from now on find it instead of a real device.
 * @returns why this machine can't, or undefined
 */
export function useEmulator(): string | undefined {
  if (process.platform !== "linux") return "the emulator of CUDA devices needs Linux";
  try {
    execFileSync("g++", ["--version"], { stdio: "ignore" });
  } catch {
    return "the emulator of CUDA devices needs g++";
  }
  const built = build();
  process.env.ALEXNET_CUDA_PATH = built;
  process.env.ALEXNET_CACHE = join(built, "cache");
  return undefined;
}

function build(): string {
  const sources = readdirSync(folder).sort();
  const hash = createHash("sha256").update(folder);
  for (const source of sources) hash.update(readFileSync(join(folder, source)));
  const built = join(tmpdir(), `alexnet-emulator-${process.getuid?.()}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(built)) return built;
  const unfinished = `${built}.${process.pid}`;
  mkdirSync(unfinished);
  const parts = sources.filter((source) => source.endsWith(".cpp")).map((source) => join(folder, source));
  const library = join(unfinished, "emulator.so");
  const flags = ["-std=c++17", "-O3", "-march=native", "-Wall", "-shared", "-fPIC"];
  execFileSync("g++", [...flags, `-DEMULATOR_FOLDER="${folder}"`, "-o", library, ...parts, "-ldl"]);
  for (const name of NAMES) symlinkSync("emulator.so", join(unfinished, name));
  try {
    renameSync(unfinished, built);
  } catch {
    // Another run was quicker.
  }
  return built;
}
