/** `alexnet runs | head` closes our output early: that is no error. */
export function endQuietlyWhenOutputCloses(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
  process.stderr.on("error", () => {}); // a terminal that went away must not end a training run
}
