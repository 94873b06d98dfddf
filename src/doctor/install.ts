import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { AlexnetError } from "../errors.js";

const script = fileURLToPath(new URL("../../scripts/setup", import.meta.url));

/**
 * Installs oneDNN as a checkout's set-up does. What it does, it says on standard error; it asks for sudo's password on a
 * terminal.
 * @throws AlexnetError "engine" where that fails; the script has said why
 */
export async function installOneDnn(): Promise<void> {
  if (process.platform === "win32")
    throw new AlexnetError(
      "engine",
      "oneDNN can't be installed from here on Windows; put its dnnl.dll, a build for OpenMP, into a folder of PATH",
    );
  const child = spawn("sh", [script, "onednn"], { stdio: ["inherit", "ignore", "inherit"] });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (status !== 0) throw new AlexnetError("engine", "oneDNN could not be installed, see above");
}
