import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../system/files.js";

/** Who needs a store that nobody named: while one of these files is there, the store is not cleared away. */

const USERS = "users.txt";

/** @param file of what was made from the store and may need it again */
export function addStoreUser(store: string, file: string): void {
  if (usersOf(store).includes(file)) return;
  try {
    appendFileSync(join(store, USERS), `${file}\n`);
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes(errnoOf(error) ?? "")) throw error; // nor can we clear it away then
  }
}

export function isStoreInUse(store: string): boolean {
  return usersOf(store).some((file) => existsSync(file));
}

function usersOf(store: string): readonly string[] {
  const path = join(store, USERS);
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}
