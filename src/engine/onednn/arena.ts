import koffi from "koffi";
import { AlexnetError } from "../../errors.js";
import type { Pointer } from "./bindings.js";

/** One block of memory outside the JavaScript heap, on huge pages where the system gives them. */
export interface Arena {
  readonly address: Pointer;
  readonly bytes: number;
  /** Part of the block: an ArrayBuffer of Node.js 20 can't be as large as the whole may be. */
  view(offset: number, bytes: number): ArrayBuffer;
  free(): void;
}

const HUGE_PAGE = 1 << 21;
const MADV_HUGEPAGE = 14;

/** @throws AlexnetError "engine" when the system has not that much. */
export function allocateArena(bytes: number): Arena {
  const libc = koffi.load(process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6");
  const out = new BigUint64Array(1);
  const size = Math.max(HUGE_PAGE, Math.ceil(bytes / HUGE_PAGE) * HUGE_PAGE);
  const status: number = libc.func("posix_memalign", "int", ["void *", "size_t", "size_t"])(out, HUGE_PAGE, size);
  if (status !== 0)
    throw new AlexnetError(
      "memory",
      `the program needs ${(size / 1e9).toFixed(2)} GB, which the system does not give; use a smaller --batch or --width`,
    );
  const address = out[0];
  if (process.platform === "linux")
    libc.func("madvise", "int", ["void *", "size_t", "int"])(address, size, MADV_HUGEPAGE); // a hint: may be refused
  const view = (offset: number, length: number): ArrayBuffer => koffi.view(address + BigInt(offset), length);
  for (let offset = 0; offset < size; offset += HUGE_PAGE) new Uint8Array(view(offset, HUGE_PAGE)).fill(0); // first touch on the thread that computes
  return {
    address,
    bytes: size,
    view,
    free() {
      libc.func("free", "void", ["void *"])(address);
    },
  };
}
