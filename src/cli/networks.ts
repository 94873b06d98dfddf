import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { networks } from "../network/networks.js";
import { summarise } from "../network/summary.js";
import { printTable, thousands } from "./print.js";
import { addTyped } from "./typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("networks")
      .description("list the networks that can be trained")
      .option("--json", "print JSON")
      .action(({ json }) => {
        const rows = Object.values(networks).map((network) => ({ network, summary: summarise(network) }));
        if (json) {
          const plain = rows.map(({ network, summary }) => ({
            name: network.name,
            inputSize: network.input.size,
            layers: network.layers.length,
            parameters: summary.parameters,
            forwardFlops: summary.forwardFlops,
          }));
          console.log(JSON.stringify(plain, undefined, 2));
          return;
        }
        printTable(
          ["network", "input", "parameters*", "GFLOP a picture*"],
          rows.map(({ network, summary }) => [
            network.name,
            `${network.input.size}x${network.input.size}`,
            thousands(summary.parameters),
            (summary.forwardFlops / 1e9).toFixed(3),
          ]),
        );
        console.log("* with 1000 classes; `alexnet info --network <name>` shows the layers");
      }),
  );
}
