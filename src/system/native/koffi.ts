import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The stack of a call on another thread, bytes. MPICH's reductions overflow the 128 KiB that koffi gives them. */
const WAITING_STACK = 8 << 20;

let loaded: typeof import("koffi") | undefined;

/**
 * What calls native functions. It is loaded when it is first needed, which takes as long as starting a thread does: most
 * threads call nothing. Nothing else of this project loads it.
 */
export function koffi(): typeof import("koffi") {
  if (loaded === undefined) {
    loaded = require("koffi") as typeof import("koffi");
    loaded.config({ async_stack_size: WAITING_STACK });
  }
  return loaded;
}
