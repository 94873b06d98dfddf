import { createRequire } from "node:module";

/** What the tests use of onnxruntime-node, which comes without types. */
interface Runtime {
  readonly InferenceSession: { create(path: string): Promise<Session> };
  readonly Tensor: new (type: "uint8" | "float32", data: Uint8Array | Float32Array, dims: readonly number[]) => object;
}

interface Session {
  run(feeds: Readonly<Record<string, object>>): Promise<Readonly<Record<string, { readonly data: unknown }>>>;
}

const runtime: Runtime = createRequire(import.meta.url)("onnxruntime-node");

/** Runs a graph of one input and returns its only output. */
export async function runOnnx(
  path: string,
  input: string,
  data: Uint8Array | Float32Array,
  dims: readonly number[],
): Promise<Float32Array> {
  const session = await runtime.InferenceSession.create(path);
  const type = data instanceof Uint8Array ? "uint8" : "float32";
  const [output, ...others] = Object.values(await session.run({ [input]: new runtime.Tensor(type, data, dims) }));
  if (others.length > 0 || !(output?.data instanceof Float32Array)) throw new TypeError("not one float32 output");
  return output.data;
}
