import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { wheelFolders } from "#src/engine/cuda/find.js";
import * as cuda from "#src/engine/cuda/signatures.js";
import * as onednn from "#src/engine/onednn/signatures.js";
import type { ArgumentType, ResultType, Signatures, StatusSignatures } from "#src/system/native/signatures.js";

/**
 * What an engine's signatures.ts binds, beside the headers of the library: a C++ program of assertions is checked by the
 * compiler, which neither links nor runs it.
 */

/** One version of a library whose headers were found, with the assertions about it. */
export interface Installed {
  /** "dnnl_version.h 2.6, /usr/include" */
  readonly title: string;
  readonly headers: readonly string[];
  readonly folders: readonly string[];
  readonly assertions: readonly string[];
}

/** Why nothing can be compared here: no headers, no compiler. */
export class CannotCompare extends Error {}

export const libraries = { cuda: findCuda, onednn: findOnednn } as const;

/** The assertions that the headers contradict; none when all agree. @throws CannotCompare without a compiler */
export function contradicted({ headers, folders, assertions }: Installed): readonly string[] {
  try {
    execFileSync("g++", ["--version"], { stdio: "ignore" });
  } catch {
    throw new CannotCompare("there is no g++");
  }
  const flags = ["-std=c++17", "-fsyntax-only", "-w", "-x", "c++", ...folders.map((folder) => `-I${folder}`), "-"];
  try {
    execFileSync("g++", flags, { input: program(headers, assertions), stdio: ["pipe", "inherit", "pipe"] });
    return [];
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    const wrong = said.split("\n").filter((line) => line.includes("error:"));
    return wrong.length > 0 ? wrong : [said];
  }
}

/** @throws CannotCompare where a header is missing */
function findCuda(named: readonly string[]): readonly Installed[] {
  const headers = ["cuda.h", "nvrtc.h", "cublasLt.h", "cudnn.h"];
  const folders = named.length > 0 ? named : cudaFolders();
  const missing = headers.filter((header) => !folders.some((folder) => existsSync(join(folder, header))));
  if (missing.length > 0) {
    const install = "pip install nvidia-{cuda-nvcc,cuda-cccl,cuda-nvrtc,cuda-runtime,cublas,cudnn}-cu12";
    throw new CannotCompare(`no ${missing.join(", ")}; ${looked(folders)}; name their folders, or ${install}`);
  }
  const { driverCalls, compilerCalls, blasCalls, convolutionCalls } = cuda;
  const { driverAnswers, compilerAnswers, blasAnswers, convolutionAnswers } = cuda;
  const versions = [
    versionIn(folders, "cuda.h", /#define CUDA_VERSION (\d+)/),
    versionIn(folders, "cublas_api.h", /#define CUBLAS_VER_MAJOR (\d+)/),
    versionIn(folders, "cudnn_version.h", /#define CUDNN_MAJOR (\d+)\s+#define CUDNN_MINOR (\d+)/),
  ];
  const assertions = [
    ...statusFunctions({ ...driverCalls, ...compilerCalls, ...blasCalls, ...convolutionCalls }),
    ...functions({ ...driverAnswers, ...compilerAnswers, ...blasAnswers, ...convolutionAnswers }),
    ...constants({ ...cuda.CUDA, ...cuda.CUBLASLT, ...cuda.CUDNN }),
    ...layouts(cuda.layouts),
  ];
  return [{ title: versions.flat().join(", "), headers, folders, assertions }];
}

/** Where CUDA's headers may be: ALEXNET_CUDA_PATH, /usr/local/cuda, Python's nvidia-* packages. */
function cudaFolders(): readonly string[] {
  const roots = [...listed(process.env.ALEXNET_CUDA_PATH), "/usr/local/cuda"];
  const packages = new Set(wheelFolders().map((folder) => dirname(dirname(folder))));
  const wheels = [...packages].flatMap((nvidia) => readdirSync(nvidia).map((name) => join(nvidia, name, "include")));
  return [...roots.map((root) => join(root, "include")), ...roots, ...wheels].filter((folder) => existsSync(folder));
}

/** Each folder has one version, of major version 2 or 3. @throws CannotCompare where there are no headers */
function findOnednn(named: readonly string[]): readonly Installed[] {
  const system = ["/usr/include", "/usr/local/include", "/opt/homebrew/include"];
  const folders = named.length > 0 ? named : [...listed(process.env.ALEXNET_ONEDNN_HEADERS), ...system];
  const header = "oneapi/dnnl/dnnl_version.h";
  const own = folders.filter((folder) => existsSync(join(folder, header)));
  if (own.length === 0)
    throw new CannotCompare(`no ${header}; ${looked(folders)}; name its folder, or \`apt install libdnnl-dev\``);
  return own.flatMap((folder) => {
    const pattern = /#define DNNL_VERSION_MAJOR (\d+)\s+(?:\/\/.*\s+)*#define DNNL_VERSION_MINOR (\d+)/;
    return versionIn([folder], header, pattern).map((version) => ({
      title: `${version}, ${folder}`,
      headers: ["oneapi/dnnl/dnnl.h"],
      folders: [folder],
      assertions: version.startsWith(`${header} 2.`) ? onednn2() : onednn3(),
    }));
  });
}

function onednn2(): readonly string[] {
  return [
    ...statusFunctions({ ...onednn.commonCalls, ...onednn.version2Calls }),
    ...functions(onednn.commonAnswers),
    ...constants({ ...onednn.DNNL, ...onednn.DNNL_2, ...onednn.instructionSets2 }),
    ...layouts({ ...onednn.commonLayouts, ...onednn.version2Layouts }),
  ];
}

function onednn3(): readonly string[] {
  return [
    ...statusFunctions({ ...onednn.commonCalls, ...onednn.version3Calls }),
    ...functions(onednn.commonAnswers),
    ...constants({ ...onednn.DNNL, ...onednn.DNNL_3, ...onednn.instructionSets3 }),
    ...layouts(onednn.commonLayouts),
  ];
}

/** What each type is to the compiler: nothing, a pointer, a floating-point number, or a whole number by its bytes. */
const classes: Readonly<Record<ArgumentType | ResultType, string>> = {
  void: "v",
  "void *": "p",
  str: "p",
  int: "4",
  uint: "4",
  uint8: "1",
  int64: "8",
  uint64: "8",
  ulong: "8",
  size_t: "8",
  float: "f",
  double: "d",
};

function statusFunctions(table: StatusSignatures): readonly string[] {
  return functions(Object.fromEntries(Object.entries(table).map(([name, types]) => [name, ["int", ...types]])));
}

/** Of results and arguments, in order, as classes of types. */
function functions(table: Signatures): readonly string[] {
  return Object.entries(table).map(([name, types]) => {
    const expected = types.map((type) => classes[type]).join("");
    return `static_assert(same(classes(&${name}), "${expected}"), "${name} is not bound as it is declared");`;
  });
}

function constants(table: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(table).map(
    ([name, value]) => `static_assert((long long)${name} == ${value}, "${name} is not ${value}");`,
  );
}

interface StructLayout {
  readonly size: number;
  readonly fields: Readonly<Record<string, number>>;
}

function layouts(table: Readonly<Record<string, StructLayout>>): readonly string[] {
  return Object.entries(table).flatMap(([name, { size, fields }]) => [
    `static_assert(sizeof(${name}) == ${size}, "${name} has not ${size} bytes");`,
    ...Object.entries(fields).map(
      ([field, offset]) =>
        `static_assert(offsetof(${name}, ${field}) == ${offset}, "${name}.${field}: not at ${offset}");`,
    ),
  ]);
}

function program(headers: readonly string[], assertions: readonly string[]): string {
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
${assertions.join("\n")}
`;
}

/** ["cuda.h 12080"], or nothing where no folder has the header. */
function versionIn(folders: readonly string[], header: string, pattern: RegExp): readonly string[] {
  const folder = folders.find((candidate) => existsSync(join(candidate, header)));
  const match = folder === undefined ? null : pattern.exec(readFileSync(join(folder, header), "utf8"));
  return match === null ? [] : [`${header} ${match.slice(1).join(".")}`];
}

function listed(folders = ""): readonly string[] {
  return folders.split(delimiter).filter((folder) => folder !== "");
}

function looked(folders: readonly string[]): string {
  return `looked in ${folders.join(", ") || "no folder at all"}`;
}
