/** What the measuring of a machine's own rates has in common. */

/** Numbers to compute with: zeros can be quicker, as they switch fewer transistors. */
export function varied(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => (i % 251) / 251 - 0.5);
}

/** The least of `runs` times, after one run to warm up; `time` runs once and gives its seconds. */
export function leastSeconds(runs: number, time: () => number): number {
  time();
  return Math.min(...Array.from({ length: runs }, time));
}

/** Runs `work` once, on this thread. @returns its seconds */
export function secondsOf(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

/** Floating-point operations of a product of matrices of `size` squared. */
export function productOperations(size: number): number {
  return 2 * size ** 3;
}
