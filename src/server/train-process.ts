import { type TrainOptions, train } from "../training/train.js";

/**
 * Entry of a process that trains one run, begun from the page: it lives on when the server ends. It tells its parent, as
 * long as that listens, when the run has begun, or why it could not.
 */

export type Told = { readonly kind: "begun" } | { readonly kind: "failed"; readonly message: string };

const tell = (told: Told): void => {
  if (process.connected) process.send?.(told);
};

process.once("message", (options) => {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => stop.abort(name));
  train({
    ...(options as TrainOptions), // checked by `train`
    signal: stop.signal,
    onEvent: ({ kind }) => {
      if (kind === "started" || kind === "preparing") tell({ kind: "begun" });
    },
  })
    .catch((error: unknown) => {
      tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
      process.exitCode = 1;
    })
    .finally(() => {
      if (process.connected) process.disconnect?.();
    });
});
