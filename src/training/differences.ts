export interface Difference {
  /** `recipe.momentum`, `network.conv2.filters` */
  readonly path: string;
  readonly left: unknown;
  readonly right: unknown;
}

/** Where two pieces of plain data differ, leaf by leaf. Entries of lists go by their name where they have one. */
export function differences(left: unknown, right: unknown): readonly Difference[] {
  const [a, b] = [new Map(leaves(left, "")), new Map(leaves(right, ""))];
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((path) => JSON.stringify(a.get(path)) !== JSON.stringify(b.get(path)))
    .map((path) => ({ path, left: a.get(path), right: b.get(path) }));
}

/** "recipe.momentum: 0.9, now 0.8" */
export function describeDifference({ path, left, right }: Difference): string {
  return `${path}: ${show(left)}, now ${show(right)}`;
}

function leaves(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (typeof value !== "object" || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, part]) => {
    const name: unknown =
      Array.isArray(value) && typeof part === "object" && part !== null && Reflect.get(part, "name");
    const step = typeof name === "string" ? name : key;
    return leaves(part, path === "" || Array.isArray(value) ? joined(path, step) : `${path}.${step}`);
  });
}

function joined(path: string, step: string): string {
  return [path.replace(/\.layers$/, ""), step].filter((part) => part !== "").join(".");
}

function show(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value);
}
