import { once } from "node:events";
import { Command, Option } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { DEFAULT_PORT, describeRoot, serve } from "../../server/serve.js";
import { wholeNumber } from "../flags.js";
import { openInBrowser } from "../page.js";
import { computing } from "../predicting.js";
import { interruptible } from "../run-task.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    computing(
      new Command("serve")
        .description(
          "pages that show runs live, classify and explain, and an HTTP interface; in the browser at its address",
        )
        .argument("[folder]", "folder of runs, or one run", "runs")
        .option("--pictures <folder>", "where new runs' pictures may be; default your home folder")
        .option("--port <number>", "port to listen at; 0 for any that is free", wholeNumber(0, 65535), DEFAULT_PORT)
        .option("--host <address>", "address to listen at; where others can reach it, a token is demanded", "127.0.0.1")
        .addOption(
          new Option("--token <text>", "demanded of every request; made up where one is needed").env("ALEXNET_TOKEN"),
        )
        .option("--allow-host <name...>", "names by which browsers may call this server, besides its address")
        .option("--open", "open it in the browser"),
    ).action(async (folder, { pictures, port, host, token, allowHost, open, engine, threads, precision }) => {
      await interruptible(
        async (signal) => {
          const serving = await serve({
            ...{ runs: folder, pictures, port, host, token, allowHosts: allowHost, engine, threads, precision },
            onError: (error) => console.error(error),
          });
          try {
            console.log(`runs in ${describeRoot(folder)}`);
            console.log(`open ${serving.invitation()}`);
            if (serving.token !== undefined) {
              console.log("That link lets one browser in, once. Programs send the token:");
              console.log(`Authorization: Bearer ${serving.token}`);
            }
            console.log("Ctrl-C ends it.");
            if (open) openInBrowser(serving.invitation());
            if (!signal.aborted) await once(signal, "abort");
          } finally {
            await serving.close();
          }
        },
        { stop: () => {} },
      );
    }),
  );
}
