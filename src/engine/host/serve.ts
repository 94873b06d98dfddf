import { serve } from "../../system/threads/serve.js";
import type { Engine } from "../engine.js";
import { checkedEngine } from "./checked.js";
import { type EngineName, engineByName, type OpenOptions } from "./engines.js";
import { inOrder } from "./in-order.js";

/** Entry of the compute thread: opens one engine and carries out its calls. */

export interface Start {
  readonly name: EngineName;
  readonly options: OpenOptions;
}

serve<Start, Engine>(
  async ({ name, options }) => inOrder(checkedEngine(await engineByName(name).open(options))),
  { ordersItself: true }, // batches of one program may overlap
);
