import type { Dirent } from "node:fs";
import { opendir } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { type Task, throwIfStopped } from "../task.js";
import { compareCodePoints } from "../text.js";

/** Entries that are read, sorted or merged at once: some milliseconds of work, after which others get their turn. */
const AT_ONCE = 4096;

/**
 * The entries of a folder, sorted by the code points of their names. Of a million, neither reading nor sorting keeps
 * signals and the display waiting.
 * @throws AlexnetError "interrupted" once the signal is given, or the system's error.
 */
export async function readFolder(path: string, task: Pick<Task, "signal">): Promise<readonly Dirent[]> {
  const entries: Dirent[] = [];
  for await (const entry of await opendir(path, { bufferSize: AT_ONCE })) {
    if (entries.push(entry) % AT_ONCE > 0) continue;
    await giveTurn(path, task);
  }
  const compare = (a: Dirent, b: Dirent) => compareCodePoints(a.name, b.name);
  if (entries.length <= AT_ONCE) return entries.sort(compare);
  return sortInTurns(entries, compare, () => giveTurn(path, task));
}

async function giveTurn(path: string, task: Pick<Task, "signal">): Promise<void> {
  await setImmediate();
  throwIfStopped(task, `listing ${path}`);
}

/** Merge sort: sorted parts, then pairs of them merged until there is one. */
async function sortInTurns<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  giveTurn: () => Promise<void>,
): Promise<readonly T[]> {
  let parts: T[][] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    parts.push(items.slice(start, start + AT_ONCE).sort(compare));
    await giveTurn();
  }
  while (parts.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < parts.length; i += 2)
      merged.push(await merge(parts[i] ?? [], parts[i + 1] ?? [], compare, giveTurn));
    parts = merged;
  }
  return parts[0] ?? [];
}

async function merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  giveTurn: () => Promise<void>,
): Promise<T[]> {
  const merged: T[] = [];
  const [rest, others] = [left.values(), right.values()];
  let [a, b] = [rest.next(), others.next()];
  while (!a.done || !b.done) {
    if (b.done || (!a.done && compare(a.value, b.value) <= 0)) {
      if (!a.done) merged.push(a.value);
      a = rest.next();
    } else {
      merged.push(b.value);
      b = others.next();
    }
    if (merged.length % AT_ONCE === 0) await giveTurn();
  }
  return merged;
}
