/** One stage of gpu-check: node stage.js <name> <settings as JSON>. Writes what it finds to `settings.path` as it goes. */
import { writeWhole } from "../../dist/system/files.js";

const [, , name, settings] = process.argv;
const options = JSON.parse(settings);
let found = {};
const context = {
  ...options,
  batches: options.batches.split(",").map(Number),
  steps: Number(options.steps),
  width: Number(options.width),
  epochs: Number(options.epochs),
  /** Writes down what was found so far: { data, text }, and { status: "skipped" | "failed" } where it isn't "passed". */
  keep(now) {
    found = now;
    writeWhole(options.path, JSON.stringify(found)); // the process may be ended at any time
  },
};
try {
  const { default: stage } = await import(`./${name}.js`);
  await stage(context);
} catch (error) {
  context.keep({ ...found, error: error.message.split("\n")[0] });
  console.error(error.stack);
  process.exit(1);
}
process.exit();
