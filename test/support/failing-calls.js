// A thread of a pool whose native calls fail, over and over: run by pool.test.ts.
import koffi from "koffi";
import { serve } from "../../dist/system/threads/serve.js";

serve(() => ({
  fail(calls) {
    for (let call = 0; call < calls; call++)
      try {
        koffi.load("no such library");
      } catch {}
    return calls;
  },
}));
