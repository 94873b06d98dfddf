import type { Split } from "../../network/picture.js";

/** What a folder or archive holds by its name. Tests validate where there is nothing else to. */
export type Role = Split | "test";

const words: Readonly<Record<Role, readonly string[]>> = {
  train: ["train", "training", "trainset", "trainval", "trn"],
  val: ["val", "valid", "validation", "valset", "dev", "eval", "evaluation", "holdout"],
  test: ["test", "testing", "tests", "testset"],
};
const roleOfWord = new Map(
  Object.entries(words).flatMap(([role, names]) => names.map((name) => [name, role as Role] as const)),
);

/** Words that say nothing about what is in a folder. */
const plain = new Set(
  "set sets data dataset split image images img imgs photo photos picture pictures pics jpg jpeg".split(" "),
);

/** The role that any part of a name speaks of, in any case: "train-0001.tar", "Testing", "seg_val"; train comes first. */
export function roleOf(name: string): Role | undefined {
  const found = new Set(partsOf(name).map((part) => roleOfWord.get(part)));
  return (["train", "val", "test"] as const).find((role) => found.has(role));
}

/**
 * The roles of folders beside each other. A folder's name speaks of a role when it says nothing else ("training_set"), or
 * when another folder's name is the same but for its role ("asl_alphabet_train" beside "asl_alphabet_test"): a class may
 * be of freight trains.
 */
export function rolesOf(folders: readonly string[]): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  for (const folder of folders) {
    const role = roleOf(folder);
    if (role === undefined) continue;
    const rest = restOf(folder);
    const isPlain = rest.every((part) => plain.has(part));
    const hasPartner = folders.some((other) => {
      const otherRole = roleOf(other);
      return otherRole !== undefined && otherRole !== role && restOf(other).join(" ") === rest.join(" ");
    });
    if (isPlain || hasPartner) roles.set(folder, role);
  }
  return roles;
}

/** Runs of letters, in lower case: "trainImages01" has the parts train and images. */
function partsOf(name: string): readonly string[] {
  return (name.match(/\p{Lu}?[\p{Ll}\p{Lo}]+|\p{Lu}+/gu) ?? []).map((part) => part.toLowerCase());
}

function restOf(name: string): readonly string[] {
  return partsOf(name).filter((part) => !roleOfWord.has(part));
}
