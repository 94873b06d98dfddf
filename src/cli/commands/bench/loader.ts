import { Command } from "@commander-js/extra-typings";
import { measureLoading, withSyntheticStores } from "../../../benchmark/loading.js";
import { openStore } from "../../../store/store.js";
import { printLoading } from "../../display/benchmarks.js";
import { printJson, printLine, thousands } from "../../display/print.js";
import { wholeNumber } from "../../flags.js";

/** `bench loader` */
export function loader() {
  return new Command("loader")
    .description("pictures per second from a prepared store into batches")
    .argument("[stores...]", "folders that prepare made; synthetic ones, raw and jpeg, where none is given")
    .option("--pictures <count>", "read this many", wholeNumber(1), 20_000)
    .option("--batch <pictures>", "pictures a batch", wholeNumber(1), 128)
    .option("--workers <count>", "loading threads", wholeNumber(1), 2)
    .option("--json", "print JSON")
    .action(async (stores, { pictures, batch: batchSize, workers, json }) => {
      const measure = async (paths: readonly string[]) => {
        const results = [];
        for (const path of paths) {
          const store = await openStore(path);
          results.push(await measureLoading(store, { pictures, batchSize, workers }).finally(() => store.close()));
        }
        return results;
      };
      const results = stores.length > 0 ? await measure(stores) : await withSyntheticStores(measure);
      if (json) {
        printJson(results);
        return;
      }
      printLoading(results);
      printLine(`${thousands(pictures)} pictures each, in batches of ${batchSize}, by ${workers} threads`);
    });
}
