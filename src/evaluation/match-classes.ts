import { AlexnetError } from "../errors.js";
import type { Split } from "../network/picture.js";
import { countLabels } from "../store/count-labels.js";
import type { Store } from "../store/store.js";
import { counted, enumerate, indexOfName } from "../text.js";

/** What is not evaluated, the classes of pictures and network not being the same. */
export interface LeftOut {
  /** Classes of the network that none of the pictures is of. */
  readonly missing: readonly string[];
  /** Classes that the network does not know, and how many pictures they have. */
  readonly unknown: readonly { readonly name: string; readonly pictures: number }[];
}

/** A sentence for each kind of what was left out. */
export function describeLeftOut({ missing, unknown }: LeftOut): readonly string[] {
  const pictures = unknown.reduce((sum, one) => sum + one.pictures, 0);
  const names = unknown.map(({ name }) => name);
  return [
    ...(missing.length > 0 ? [`left out, having no pictures: ${enumerate(missing)}`] : []),
    ...(unknown.length > 0
      ? [`left out, being of no class of the network: ${counted(pictures, "picture")} of ${enumerate(names)}`]
      : []),
  ];
}

/** The label of pictures of classes that the network does not know. */
export const UNKNOWN = -1;

/**
 * For each of the store's labels, the network's output, and what has none.
 * @param name what people call the store
 * @throws AlexnetError "classes-differ" naming the difference, unless it may be
 */
export function matchClasses(
  store: Store,
  splits: readonly Split[],
  classes: readonly string[],
  name: string,
  mayDiffer: boolean,
): { readonly outputs: Int32Array; readonly leftOut: LeftOut } {
  const outputs = Int32Array.from(store.classes, (name) => indexOfName(classes, name));
  const counts = splits.map((split) => countLabels(store.labels(split), store.classes.length));
  const missing = classes.filter((_, output) => !outputs.includes(output));
  const unknown = store.classes.flatMap((name, label) =>
    outputs[label] === UNKNOWN
      ? [{ name, pictures: counts.reduce((sum, ofSplit) => sum + (ofSplit[label] ?? 0), 0) }]
      : [],
  );
  if (missing.length + unknown.length > 0 && !mayDiffer) throw otherClasses(name, missing, unknown);
  return { outputs, leftOut: { missing, unknown } };
}

function otherClasses(name: string, missing: readonly string[], unknown: LeftOut["unknown"]): AlexnetError {
  const difference = [
    ...(missing.length > 0 ? [`it lacks ${enumerate(missing, 5)}`] : []),
    ...(unknown.length > 0
      ? [
          `the network does not know ${enumerate(
            unknown.map(({ name }) => name),
            5,
          )}`,
        ]
      : []),
  ];
  return new AlexnetError("classes-differ", `${name}: its classes are not the network's: ${difference.join("; ")}`, {
    hint: { advice: "leave those out", option: "allowMissingClasses", value: true },
  });
}
