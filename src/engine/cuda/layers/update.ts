import type { Build, Memory } from "../build.js";
import { BLOCK_THREADS } from "../kernels/kernels.js";
import type { Parameters } from "../parameters.js";

/** Values one block of threads updates. */
const CHUNK = 8192;
const CHUNK_BYTES = 24; // struct Chunk of update.cu

/** Adds the update of all parameters that learn, in one launch. `loss`: where the step's loss lies. */
export function addUpdate(build: Build, parameters: Parameters, controls: Memory, loss: Memory): void {
  const chunks = chunksOf(parameters);
  const count = chunks.byteLength / CHUNK_BYTES;
  const { values, copies, momentum, gradients } = parameters.flat;
  if (count === 0 || values === undefined || momentum === undefined || gradients === undefined) return;
  const table = build.memory(chunks.byteLength);
  const tensors = [controls, loss, table, values, momentum, gradients, copies ?? values];
  const again = [values, momentum]; // read and written
  build.add({ layer: "update", kind: "update", direction: "update" }, [...tensors, ...again], "update.cu", () => {
    build.writeBytes(table, chunks);
    const addresses = tensors.map((tensor) => build.address(tensor));
    return build.gpu.kernels.get("update", "update", {}).prepare(count, BLOCK_THREADS, addresses);
  });
}

/** An array of struct Chunk: long long, int, float, float, int. */
function chunksOf({ placed }: Parameters): Uint8Array {
  const chunks = placed
    .filter(({ learningRate }) => learningRate !== 0)
    .flatMap(({ value, learningRate, weightDecay }) =>
      Array.from({ length: Math.ceil(value.length / CHUNK) }, (_, i) => ({
        offset: value.offset / 4 + i * CHUNK,
        count: Math.min(CHUNK, value.length - i * CHUNK),
        learningRate,
        weightDecay,
      })),
    );
  const bytes = new DataView(new ArrayBuffer(chunks.length * CHUNK_BYTES));
  chunks.forEach(({ offset, count, learningRate, weightDecay }, i) => {
    const at = i * CHUNK_BYTES;
    bytes.setBigInt64(at, BigInt(offset), true);
    bytes.setInt32(at + 8, count, true);
    bytes.setFloat32(at + 12, learningRate, true);
    bytes.setFloat32(at + 16, weightDecay, true);
  });
  return new Uint8Array(bytes.buffer);
}
