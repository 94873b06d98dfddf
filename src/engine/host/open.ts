import { AlexnetError } from "../../errors.js";
import { Thread } from "../../system/threads/call.js";
import type { Engine, PrecisionChoice } from "../engine.js";
import { openBest } from "./auto.js";
import { type EngineName, engineByName, enginesWith, type OpenOptions } from "./engines.js";
import type { Start } from "./serve.js";

export interface EngineOptions extends Omit<OpenOptions, "precision"> {
  /** Default "auto". */
  readonly precision?: PrecisionChoice;
}

/**
 * Opens an engine on a compute thread of its own, so that the calling thread stays alive while it works. Calls are
 * carried out in the order they are made. "auto" is a GPU that was found to compute right here, else the CPU; the
 * engine's `choice` says why. An engine keeps the process running only while a call is under way.
 * @throws AlexnetError "engine" saying what to install when the engine can't run here, "invalid-option" for bad options.
 */
export async function openEngine(name: EngineName | "auto", given: EngineOptions = {}): Promise<Engine> {
  const { threads } = given;
  const precision = given.precision === "auto" ? undefined : given.precision;
  const options: OpenOptions = { threads, precision };
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1))
    throw new AlexnetError(
      "invalid-option",
      `threads: ${threads} is not a number of threads; give a whole number from 1`,
    );
  if (name === "auto") return openBest(open, options);
  const { precisions } = engineByName(name);
  if (precision !== undefined && !precisions.includes(precision))
    throw new AlexnetError("invalid-option", `precision ${precision}: ${name} computes in ${precisions.join(", ")}`, {
      hint: enginesWith(precision).map((value) => ({ advice: "take an engine that has it", option: "engine", value })),
    });
  return open(name, options);
}

async function open(name: EngineName, options: OpenOptions): Promise<Engine> {
  const thread = new Thread<Start, Engine>(
    new URL("./serve.js", import.meta.url),
    { name, options },
    {
      name: {
        died: (how) => `${name}: the compute thread ${how}; open the engine again`,
        closed: `${name}: this engine is closed; open it again`,
        released: (call) => `${call}: this program is closed; compile the network again`,
      },
    },
  );
  return { ...(await thread.ready), close: () => thread.close() };
}
