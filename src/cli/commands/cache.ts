import { Argument, Command } from "@commander-js/extra-typings";
import type { Command as Program } from "commander";
import { type Cached, clearCache, listCache } from "../../store/cached.js";
import { cacheFolder } from "../../system/cache-folder.js";
import { byteSize, printJson, printLine, printTable } from "../display/print.js";
import { addTyped } from "../typed.js";

export function register(program: Program): void {
  addTyped(
    program,
    new Command("cache")
      .description("list what is kept to be quicker the next time, such as prepared pictures, or clear it")
      .addArgument(
        new Argument("[action]", "clear leaves what a run needs")
          .choices(["list", "clear"] as const)
          .default("list" as const),
      )
      .option("--json", "print JSON")
      .action(async (action, { json }) => {
        const cached = action === "clear" ? await clearCache() : await listCache();
        if (json) {
          printJson({ folder: cacheFolder(), [action === "clear" ? "removed" : "holds"]: cached });
          return;
        }
        const size = byteSize(cached.reduce((sum, { bytes }) => sum + bytes, 0));
        if (cached.length > 0) printTable(["holds", "size", "changed", "", "folder"], cached.map(row));
        if (action === "clear") printLine(`${cacheFolder()}: ${size} removed`);
        else printLine(`${cacheFolder()}: ${size}; \`alexnet cache clear\` removes what no run needs`);
      }),
  );
}

function row({ path, holds, bytes, changed, inUse }: Cached): string[] {
  return [holds, byteSize(bytes), changed.slice(0, 10), inUse ? "in use" : "", path.slice(cacheFolder().length + 1)];
}
