import { parentPort, workerData } from "node:worker_threads";
import { AlexnetError } from "../../errors.js";
import type { ComputeEngine, ComputeProgram } from "../compute.js";
import type { EngineName } from "../engine.js";
import { checkedEngine } from "./checked.js";
import type { Remote, Reply, Request, Start } from "./remote.js";
import { ENGINE, engineSurface, type OpenOptions, programSurface, unpack } from "./remote.js";

/** Entry of the compute thread: opens one engine and carries out its calls in the order they come. */

const engines: Readonly<Record<EngineName, (options: OpenOptions) => Promise<ComputeEngine>>> = {
  onednn: async (options) => (await import("../onednn/engine.js")).openOneDnn(options),
  cuda: async (options) => (await import("../cuda/engine.js")).openCuda(options),
  reference: async () => (await import("../reference/engine.js")).openReference(),
};

const port = parentPort;
if (port === null) throw new AlexnetError("engine", "compute-thread: runs on a worker thread only; call openEngine");

try {
  const { name, options } = workerData as Start;
  const engine = checkedEngine(await engines[name](options));
  const perform = dispatcher(engine);
  port.on("message", (request: Request) => {
    try {
      const result = perform(request);
      if (result instanceof Promise)
        result.then(
          (value) => answer(request.id, value),
          (error) => refuse(request.id, error),
        );
      else answer(request.id, result);
    } catch (error) {
      refuse(request.id, error);
    }
  });
  answer(0, { handle: ENGINE, values: valuesOf(engine, engineSurface) });
} catch (error) {
  refuse(0, error);
}

function dispatcher(engine: ComputeEngine): (request: Request) => unknown {
  const programs = new Map<number, ComputeProgram>();
  let lastHandle = ENGINE;

  const keep = (program: ComputeProgram): Remote => {
    programs.set(++lastHandle, program);
    return { handle: lastHandle, values: valuesOf(program, programSurface) };
  };

  return ({ handle, method, args: packed }) => {
    const args = packed.map(unpack);
    if (handle === ENGINE) {
      const result = invoke(engine, method, args);
      return method === "compile" ? keep(result as ComputeProgram) : result;
    }
    const program = programs.get(handle);
    if (method === "close") programs.delete(handle);
    else if (program === undefined)
      throw new AlexnetError("closed", `${method}: this program is closed; compile the network again`);
    return program && invoke(program, method, args);
  };
}

function invoke(object: object, method: string, args: readonly unknown[]): unknown {
  const call: unknown = Reflect.get(object, method);
  if (typeof call !== "function") throw new AlexnetError("engine", `${method}: the engine has no such call`);
  return Reflect.apply(call, object, args);
}

function valuesOf(object: object, surface: object): Remote["values"] {
  const names = Object.entries(surface).flatMap(([name, kind]) => (kind === "value" ? [name] : []));
  return Object.fromEntries(names.map((name) => [name, Reflect.get(object, name)]));
}

/** Float32 results change hands uncopied; everything else is small. */
function answer(id: number, value: unknown): void {
  const whole = value instanceof Float32Array && value.byteLength === value.buffer.byteLength;
  port?.postMessage({ id, value } satisfies Reply, whole ? [value.buffer as ArrayBuffer] : []);
}

function refuse(id: number, thrown: unknown): void {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = error instanceof AlexnetError ? error.code : undefined;
  port?.postMessage({ id, error: { code, message: error.message, stack: error.stack ?? "" } } satisfies Reply);
}
