const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs `use` with a signal that Ctrl-C, `kill` and a closed terminal give; the second time they end the process at
 * once. The signal's reason is the name of what gave it.
 */
export async function interruptible<T>(use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const listener = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) endAtOnce(name);
    process.stderr.write("\nfinishing what is under way and saving it; once more to end at once\n");
    stop.abort(name);
  };
  for (const name of signals) process.on(name, listener);
  try {
    return await use(stop.signal);
  } finally {
    for (const name of signals) process.off(name, listener);
  }
}

/** As if nobody had listened: what is under way on other threads is not waited for. */
function endAtOnce(name: NodeJS.Signals): void {
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}
