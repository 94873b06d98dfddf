import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * What calls native functions. It is loaded when it is first needed, which takes as long as starting a thread does: most
 * threads call nothing. Nothing else of this project loads it.
 */
export function koffi(): typeof import("koffi") {
  return require("koffi");
}
