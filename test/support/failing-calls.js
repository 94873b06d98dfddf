// A thread of a pool whose native calls fail, over and over: run by worker-pool.test.ts.
import koffi from "koffi";
import { answerRequests } from "../../dist/system/threads/answer-requests.js";

answerRequests((calls) => {
  for (let call = 0; call < calls; call++)
    try {
      koffi.load("no such library");
    } catch {}
  return calls;
});
