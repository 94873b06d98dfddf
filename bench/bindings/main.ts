import { parseArgs } from "node:util";
import { CannotCompare, contradicted, libraries } from "./headers.js";

const help = `bench/run bindings cuda|onednn [folder of headers …]

Compares the functions, constants and structures that the engine's signatures.ts binds with the headers that are
installed. Without folders it looks, for CUDA, at ALEXNET_CUDA_PATH, /usr/local/cuda and Python's nvidia-* packages; for
oneDNN, of version 2 or 3, at ALEXNET_ONEDNN_HEADERS and the system's. Needs g++. Exit status 1: they differ; 2: there is
nothing to compare with.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false } },
});
const [name = "", ...folders] = positionals;
if (values.help) {
  console.log(help);
} else if (name !== "cuda" && name !== "onednn") {
  console.error(help);
  process.exitCode = 2;
} else {
  try {
    for (const installed of libraries[name](folders)) {
      const wrong = contradicted(installed);
      for (const line of wrong) console.error(line);
      if (wrong.length > 0) process.exitCode = 1;
      const count = installed.assertions.length;
      const agree = wrong.length === 0 ? "all agree" : `${wrong.length} do not agree`;
      console.log(`${installed.title}: ${count} functions, constants and structures, ${agree}`);
    }
  } catch (error) {
    if (!(error instanceof CannotCompare)) throw error;
    console.error(`bindings: ${error.message}`);
    process.exitCode = 2;
  }
}
