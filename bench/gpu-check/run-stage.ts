import { z } from "zod";
import { writeWhole } from "#src/system/files.js";
import { type Found, type Stage, type StageName, stageNames, stageOptionsSchema } from "./stage.js";

/**
 * One stage in this process: `node run-stage.js <name> <options as JSON> <file for what it finds>`. Its exit status is 0
 * where it came to its end.
 */

/** Each in a file of its own, so that only what a stage needs has to be installed. */
const load: Readonly<Record<StageName, () => Promise<Stage>>> = {
  conformance: async () => (await import("./conformance.js")).conformance,
  layers: async () => (await import("./layers.js")).layers,
  throughput: async () => (await import("./throughput.js")).throughput,
  data: async () => (await import("./data.js")).data,
  cpu: async () => (await import("./training.js")).cpu,
  training: async () => (await import("./training.js")).training,
  pytorch: async () => (await import("./pytorch.js")).pytorch,
  suite: async () => (await import("./suite.js")).suite,
};

const [given, options = "{}", path = ""] = process.argv.slice(2);
const name = z.enum(stageNames).parse(given);
let found: Found = {};
const keep = (now: Found & { readonly error?: string }): void => {
  found = now;
  writeWhole(path, JSON.stringify(found));
};
try {
  const stage = await load[name]();
  await stage(stageOptionsSchema.parse(JSON.parse(options)), keep);
} catch (error) {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  keep({ ...found, error: message.split("\n")[0] });
  console.error(stack);
  process.exit(1);
}
process.exit();
