import { Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { networkByName, variants } from "../../../network/networks.js";
import { summarise } from "../../../network/summary.js";
import { printJson, printLine, printTable, thousands } from "../../display/print.js";
import { addTyped } from "../../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("networks")
      .description("list the networks that can be trained, or print one as JSON to begin your own from")
      .argument("[name]", "of a network: print its description, as --network takes it")
      .option("--json", "print JSON")
      .action((name, { json }) => {
        if (name !== undefined) {
          printJson(networkByName(name));
          return;
        }
        const rows = variants.map((variant) => ({ ...variant, summary: summarise(variant.network) }));
        if (json) {
          const plain = rows.map(({ network, summary, differs, source }) => ({
            name: network.name,
            inputSize: network.input.size,
            layers: network.layers.length,
            parameters: summary.parameters,
            forwardFlops: summary.forwardFlops,
            differs,
            source,
          }));
          printJson(plain);
          return;
        }
        printTable(
          ["network", "input", "layers", "parameters*", "GFLOP a picture*"],
          rows.map(({ network, summary }) => [
            network.name,
            `${network.input.size}x${network.input.size}`,
            String(network.layers.length),
            thousands(summary.parameters),
            (summary.forwardFlops / 1e9).toFixed(3),
          ]),
        );
        printLine("* with 1000 classes; `alexnet info --network <name>` shows the layers\n");
        const width = Math.max(...rows.map(({ network }) => network.name.length));
        for (const { network, differs, source } of rows)
          printLine(`${network.name.padEnd(width)}  ${differs}\n${" ".repeat(width)}  (${source})`);
        printLine("\nYour own: alexnet networks paper > mine.json, change it, and train with --network mine.json");
      }),
  );
}
