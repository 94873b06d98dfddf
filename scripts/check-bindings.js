// Compares the functions, constants and structures that an engine's signatures.ts binds with the headers that are
// installed: node scripts/check-bindings.js cuda|onednn [folder of headers …]
// Without folders it looks, for CUDA, at ALEXNET_CUDA_PATH, /usr/local/cuda and Python's nvidia-* packages; for oneDNN, at
// ALEXNET_ONEDNN_HEADERS (folders) and the system's. Needs g++ and a build. Exit status 2: there are no headers or no g++.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { wheelFolders } from "../dist/engine/cuda/find.js";
import * as cuda from "../dist/engine/cuda/signatures.js";
import * as onednn from "../dist/engine/onednn/signatures.js";

/** What arguments and results of each type are to the compiler: a pointer, a floating-point number, or a size in bytes. */
const CLASS = {
  void: "v",
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

const [name, ...named] = process.argv.slice(2);
const checks = { cuda: cudaChecks, onednn: onednnChecks }[name];
if (checks === undefined) stop("usage: node scripts/check-bindings.js cuda|onednn [folder of headers …]", 64);
try {
  execFileSync("g++", ["--version"], { stdio: "ignore" });
} catch {
  stop("there is no g++", 2);
}
for (const { what, headers, folders, lines } of checks(named)) {
  const errors = compile(program(headers, lines), folders);
  if (errors.length > 0) stop(`${what}:\n${errors.join("\n")}`, 1);
  console.log(`${what}: ${lines.length} functions, constants and structures are as the headers say`);
}

function cudaChecks(given) {
  const headers = ["cuda.h", "nvrtc.h", "cublasLt.h", "cudnn.h"];
  const folders = given.length > 0 ? given : cudaFolders();
  const missing = headers.filter((header) => !folders.some((folder) => existsSync(join(folder, header))));
  if (missing.length > 0) {
    const install = "pip install nvidia-{cuda-nvcc,cuda-cccl,cuda-nvrtc,cuda-runtime,cublas,cudnn}-cu12";
    stop(`no ${missing.join(", ")}; ${looked(folders)}; name their folders, or ${install}`, 2);
  }
  const { driverCalls, compilerCalls, blasCalls, convolutionCalls } = cuda;
  const { driverAnswers, compilerAnswers, blasAnswers, convolutionAnswers } = cuda;
  const lines = [
    ...functionChecks(
      { ...driverCalls, ...compilerCalls, ...blasCalls, ...convolutionCalls },
      { ...driverAnswers, ...compilerAnswers, ...blasAnswers, ...convolutionAnswers },
    ),
    ...constantChecks({ ...cuda.CUDA, ...cuda.CUBLASLT, ...cuda.CUDNN }),
    ...layoutChecks(cuda.layouts),
  ];
  const versions = [
    versionIn(folders, "cuda.h", /#define CUDA_VERSION (\d+)/),
    versionIn(folders, "cublas_api.h", /#define CUBLAS_VER_MAJOR (\d+)/),
    versionIn(folders, "cudnn_version.h", /#define CUDNN_MAJOR (\d+)\s+#define CUDNN_MINOR (\d+)/),
  ];
  return [{ what: versions.flat().join(", "), headers, folders, lines }];
}

function cudaFolders() {
  const roots = [...listed(process.env.ALEXNET_CUDA_PATH), "/usr/local/cuda"];
  const packages = new Set(wheelFolders().map((folder) => dirname(dirname(folder))));
  const wheels = [...packages].flatMap((nvidia) => readdirSync(nvidia).map((each) => join(nvidia, each, "include")));
  return [...roots.map((root) => join(root, "include")), ...roots, ...wheels].filter((folder) => existsSync(folder));
}

/** For each folder of headers, by the major version that they are of. */
function onednnChecks(given) {
  const system = ["/usr/include", "/usr/local/include", "/opt/homebrew/include"];
  const folders = given.length > 0 ? given : [...listed(process.env.ALEXNET_ONEDNN_HEADERS), ...system];
  const own = folders.filter((folder) => existsSync(join(folder, "oneapi/dnnl/dnnl_version.h")));
  if (own.length === 0) stop(`no oneapi/dnnl/dnnl.h; ${looked(folders)}; \`apt install libdnnl-dev\` brings it`, 2);
  return own.map((folder) => {
    const pattern = /#define DNNL_VERSION_MAJOR (\d+)\s+(?:\/\/.*\s+)*#define DNNL_VERSION_MINOR (\d+)/;
    const [version = "unknown"] = versionIn([folder], "oneapi/dnnl/dnnl_version.h", pattern);
    const major = /dnnl_version\.h (\d+)/.exec(version)?.[1];
    const table = {
      2: {
        calls: onednn.version2Calls,
        constants: { ...onednn.DNNL_2, ...onednn.instructionSets2 },
        layouts: onednn.version2Layouts,
      },
      3: { calls: onednn.version3Calls, constants: { ...onednn.DNNL_3, ...onednn.instructionSets3 }, layouts: {} },
    }[major];
    if (table === undefined) stop(`${folder}: ${version} is none of the versions 2 and 3`, 1);
    const lines = [
      ...functionChecks({ ...onednn.commonCalls, ...table.calls }, onednn.commonAnswers),
      ...constantChecks({ ...onednn.DNNL, ...table.constants }),
      ...layoutChecks({ ...onednn.commonLayouts, ...table.layouts }),
    ];
    return { what: `${folder}/${version}`, headers: ["oneapi/dnnl/dnnl.h"], folders: [folder], lines };
  });
}

/** A function's classes of types: result, then arguments. */
function functionChecks(withStatus, others) {
  const signatures = [
    ...Object.entries(withStatus).map(([function_, types]) => [function_, ["int", ...types]]),
    ...Object.entries(others),
  ];
  return signatures.map(([function_, types]) => {
    const expected = types.map((type) => CLASS[type]).join("");
    return `static_assert(same(classes(&${function_}), "${expected}"), "${function_} is not bound as it is declared");`;
  });
}

function constantChecks(constants) {
  return Object.entries(constants).map(
    ([constant, value]) => `static_assert((long long)${constant} == ${value}, "${constant} is not ${value}");`,
  );
}

function layoutChecks(layouts) {
  return Object.entries(layouts).flatMap(([struct, { size, fields }]) => [
    `static_assert(sizeof(${struct}) == ${size}, "${struct} has not ${size} bytes");`,
    ...Object.entries(fields).map(
      ([field, offset]) =>
        `static_assert(offsetof(${struct}, ${field}) == ${offset}, "${struct}.${field}: not at ${offset}");`,
    ),
  ]);
}

function program(headers, lines) {
  return `#include <cstddef>
#include <type_traits>
${headers.map((header) => `#include <${header}>`).join("\n")}
template <typename T>
constexpr char classOf() {
  if constexpr (std::is_void_v<T>) return 'v';
  else if constexpr (std::is_pointer_v<T>) return 'p';
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

/** The compiler's errors. */
function compile(source, folders) {
  try {
    const flags = ["-std=c++17", "-fsyntax-only", "-w", "-x", "c++", ...folders.map((folder) => `-I${folder}`), "-"];
    execFileSync("g++", flags, { input: source, stdio: ["pipe", "inherit", "pipe"] });
    return [];
  } catch (error) {
    const lines = String(error.stderr).split("\n");
    const errors = lines.filter((line) => line.includes("error:"));
    return errors.length > 0 ? errors : lines;
  }
}

/** ["cuda.h 12080"], or nothing where no folder has such a header. */
function versionIn(folders, header, pattern) {
  const folder = folders.find((candidate) => existsSync(join(candidate, header)));
  const match = folder === undefined ? null : pattern.exec(readFileSync(join(folder, header), "utf8"));
  return match === null ? [] : [`${header} ${match.slice(1).join(".")}`];
}

function listed(folders = "") {
  return folders.split(delimiter).filter((folder) => folder !== "");
}

function looked(folders) {
  return `looked in ${folders.join(", ") || "no folder at all"}`;
}

function stop(message, status) {
  console.error(`check-bindings: ${message}`);
  process.exit(status);
}
