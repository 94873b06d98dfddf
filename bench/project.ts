import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder: what is built from here lies in its folder `dist-bench`. */
export const project = dirname(dirname(fileURLToPath(import.meta.url)));
