import { AlexnetError } from "../../../errors.js";
import { processLibrary } from "../../../system/native/library.js";
import { memoryAt, type Pointer } from "../../../system/native/memory.js";
import { NativeObject } from "../../../system/native/objects.js";

/** One block of memory outside the JavaScript heap, on huge pages where the system gives them. */
export interface Arena {
  /** @throws AlexnetError "closed" once it is freed */
  readonly address: Pointer;
  readonly bytes: number;
  /** Part of the block: an ArrayBuffer of Node.js 20 can't be as large as the whole may be. */
  view(offset: number, bytes: number): ArrayBuffer;
  /** Gives the memory back; the second time, nothing. */
  free(): void;
}

const HUGE_PAGE = 1 << 21;
const MADV_HUGEPAGE = 14;

/** @throws AlexnetError "memory" when the system does not give that much */
export function allocateArena(bytes: number): Arena {
  const libc = processLibrary()?.bind({
    posix_memalign: ["int", "void *", "size_t", "size_t"],
    madvise: ["int", "void *", "size_t", "int"],
    free: ["void", "void *"],
  });
  if (libc === undefined) throw new AlexnetError("unsupported", `oneDNN's memory can't be had on ${process.platform}`);
  const out = new BigUint64Array(1);
  const size = Math.max(HUGE_PAGE, Math.ceil(bytes / HUGE_PAGE) * HUGE_PAGE);
  if (libc.posix_memalign(out, HUGE_PAGE, size) !== 0)
    throw new AlexnetError(
      "memory",
      `the program needs ${(size / 1e9).toFixed(2)} GB, which the system does not give`,
      {
        hint: [
          { advice: "give a smaller batch", option: "batchSize" },
          { advice: "give a narrower network", option: "width" },
        ],
      },
    );
  const memory = new NativeObject("memory block", out[0], libc.free);
  if (process.platform === "linux") libc.madvise(memory, size, MADV_HUGEPAGE); // a hint: it may be refused
  const view = (offset: number, length: number): ArrayBuffer => memoryAt(memory.address + BigInt(offset), length);
  // The thread that computes touches it first, so that the memory is near its processor.
  for (let offset = 0; offset < size; offset += HUGE_PAGE) new Uint8Array(view(offset, HUGE_PAGE)).fill(0);
  return {
    get address() {
      return memory.address;
    },
    bytes: size,
    view,
    free: () => memory.close(),
  };
}
