export interface Difference {
  /** `recipe.momentum`, `network.conv2.filters` */
  readonly path: string;
  readonly left: unknown;
  readonly right: unknown;
}

/** Where two pieces of plain data differ, leaf by leaf. Entries of lists go by their name where they have one. */
export function differences(left: unknown, right: unknown): readonly Difference[] {
  return differingSettings([left, right]).map(({ path, values }) => ({ path, left: values[0], right: values[1] }));
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

export interface Setting {
  readonly path: string;
  /** One for each. */
  readonly values: readonly unknown[];
}

/** The settings that are not the same in all of several configurations. */
export function differingSettings(configs: readonly unknown[]): readonly Setting[] {
  const each = configs.map((config) => new Map(leaves(config, "")));
  const paths = new Set(each.flatMap((map) => [...map.keys()]));
  return [...paths]
    .map((path) => ({ path, values: each.map((map) => map.get(path)) }))
    .filter(({ values }) => values.some((value) => JSON.stringify(value) !== JSON.stringify(values[0])));
}
