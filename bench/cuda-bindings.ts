import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { wheelFolders } from "#src/engine/cuda/find.js";
import {
  blasCalls,
  CUBLASLT,
  CUDA,
  CUDNN,
  compilerCalls,
  convolutionCalls,
  driverCalls,
  layouts,
  type NativeType,
  plainCalls,
  type Signatures,
} from "#src/engine/cuda/signatures.js";

const help = `bench/run cuda-bindings [folder of headers …]

Compares the functions, constants and structs that src/engine/cuda/signatures.ts binds with the headers that are
installed. Without folders it looks at ALEXNET_CUDA_PATH, /usr/local/cuda and Python's nvidia-* packages. Needs g++.`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false } },
});
if (options.help) {
  console.log(help);
  process.exit();
}

const HEADERS = ["cuda.h", "nvrtc.h", "cublasLt.h", "cudnn.h"];
/** Classes of types: pointers, integers by their bytes, floating-point numbers. */
const CLASS: Readonly<Record<NativeType, string>> = {
  "void *": "p",
  str: "p",
  int: "4",
  uint: "4",
  uint8: "1",
  int64: "8",
  uint64: "8",
  size_t: "8",
  float: "f",
  double: "d",
};

const folders = includeFolders();
const missing = HEADERS.filter((header) => !folders.some((folder) => existsSync(join(folder, header))));
if (missing.length > 0) {
  const where = folders.join(", ") || "no folder at all";
  const install = "pip install nvidia-{cuda-nvcc,cuda-cccl,cuda-nvrtc,cuda-runtime,cublas,cudnn}-cu12";
  console.error(`cuda-bindings: no ${missing.join(", ")}; looked in ${where}; name their folders, or ${install}`);
  process.exit(2);
}
const checks = [...functionChecks(), ...constantChecks(), ...layoutChecks()];
try {
  execFileSync(
    "g++",
    ["-std=c++17", "-fsyntax-only", "-w", "-x", "c++", ...folders.map((folder) => `-I${folder}`), "-"],
    { input: program(checks), stdio: ["pipe", "inherit", "pipe"] },
  );
} catch (error) {
  const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
  const wrong = said.split("\n").filter((line) => line.includes("error:"));
  console.error(wrong.join("\n") || said);
  process.exit(1);
}
console.log(`${checks.length} functions, constants and structs are as the headers say: ${versions().join(", ")}`);

function includeFolders(): readonly string[] {
  if (positionals.length > 0) return positionals;
  const { ALEXNET_CUDA_PATH } = process.env;
  const roots = [...(ALEXNET_CUDA_PATH ? ALEXNET_CUDA_PATH.split(":") : []), "/usr/local/cuda"];
  const packages = new Set(wheelFolders().map((folder) => dirname(dirname(folder))));
  const wheels = [...packages].flatMap((nvidia) => readdirSync(nvidia).map((name) => join(nvidia, name, "include")));
  return [...roots.map((root) => join(root, "include")), ...roots, ...wheels].filter(existsSync);
}

/** Static assertions on each function's classes of types: its result's, then its arguments'. */
function functionChecks(): readonly string[] {
  const tables: readonly Signatures[] = [driverCalls, compilerCalls, blasCalls, convolutionCalls];
  const withStatus = tables.flatMap((table) =>
    Object.entries(table).map(([name, types]): [string, readonly NativeType[]] => [name, ["int", ...types]]),
  );
  const plain: Signatures = plainCalls;
  return [...withStatus, ...Object.entries(plain)].map(([name, types]) => {
    const expected = types.map((type) => CLASS[type]).join("");
    return `static_assert(same(classes(&${name}), "${expected}"), "${name} is not bound as it is declared");`;
  });
}

function constantChecks(): readonly string[] {
  return Object.entries({ ...CUDA, ...CUBLASLT, ...CUDNN }).map(
    ([name, value]) => `static_assert((long long)${name} == ${value}, "${name} is not ${value}");`,
  );
}

function layoutChecks(): readonly string[] {
  return Object.entries(layouts).flatMap(([name, { size, fields }]) => [
    `static_assert(sizeof(${name}) == ${size}, "${name} has not ${size} bytes");`,
    ...Object.entries(fields).map(
      ([field, offset]) =>
        `static_assert(offsetof(${name}, ${field}) == ${offset}, "${name}.${field}: not at ${offset}");`,
    ),
  ]);
}

function program(lines: readonly string[]): string {
  return `#include <cstddef>
#include <type_traits>
${HEADERS.map((header) => `#include <${header}>`).join("\n")}
template <typename T>
constexpr char classOf() {
  if constexpr (std::is_pointer_v<T>) return 'p';
  else if constexpr (std::is_same_v<T, float>) return 'f';
  else if constexpr (std::is_same_v<T, double>) return 'd';
  else return '0' + sizeof(T);
}
struct Classes { char at[32] = {}; };
template <typename R, typename... A>
constexpr Classes classes(R (*)(A...)) { return {{classOf<R>(), classOf<A>()..., 0}}; }
constexpr bool same(const Classes& a, const char* b) {
  for (int i = 0;; i++) {
    if (a.at[i] != b[i]) return false;
    if (b[i] == 0) return true;
  }
}
${lines.join("\n")}
`;
}

function versions(): readonly string[] {
  const found: readonly (readonly [string, RegExp])[] = [
    ["cuda.h", /#define CUDA_VERSION (\d+)/],
    ["cublas_api.h", /#define CUBLAS_VER_MAJOR (\d+)/],
    ["cudnn_version.h", /#define CUDNN_MAJOR (\d+)\s+#define CUDNN_MINOR (\d+)/],
  ];
  return found.flatMap(([header, pattern]) => {
    const folder = folders.find((candidate) => existsSync(join(candidate, header)));
    const match = folder === undefined ? null : pattern.exec(readFileSync(join(folder, header), "utf8"));
    return match === null ? [] : [`${header} ${match.slice(1).join(".")}`];
  });
}
