import { AlexnetError } from "../../errors.js";
import type { Task } from "../../task.js";
import type { Encoding } from "../encode.js";
import type { Source } from "../sources/source.js";
import { fingerprintSource } from "./listing.js";
import type { StoreRequest } from "./unfinished.js";

/** What a store was made of and how, as it says itself. Stores of former versions don't say all. */
type Made = Pick<StoreRequest, "kind" | "path" | "columns" | "part" | "pictureSize" | "seed" | "valFraction"> & {
  readonly allowMissingClasses?: boolean;
  readonly allowSvg?: boolean;
  readonly encoding: Encoding;
  readonly fingerprint: string;
};

/**
 * A store is gone on with, or used again, only when the same is asked for and its pictures are as they were: otherwise it
 * would be a mixture of two.
 * @param what is there: "an unfinished store", "already a store"
 * @throws AlexnetError "settings-differ" naming what differs, "interrupted" once the signal is given
 */
export async function refuseOtherRequest(
  what: string,
  made: Made,
  request: StoreRequest,
  encoding: Encoding | "auto",
  source: Source,
  task: Pick<Task, "signal">,
): Promise<void> {
  const differences = compare(made, request, encoding);
  if (differences.length === 0 && made.fingerprint !== (await fingerprintSource(source, task)))
    differences.push(`files of ${made.path} were added, removed or changed since`);
  if (differences.length > 0)
    throw new AlexnetError(
      "settings-differ",
      `${what} of other pictures or options (${differences.join("; ")}); ask for the same, remove it to begin anew, or choose another place`,
    );
}

/** Stores of former versions don't say which columns they are of. */
function columns({ columns: there }: Made, { columns: asked }: StoreRequest): string[] {
  if (there === undefined || asked === undefined) return [];
  return (["image", "label"] as const).flatMap((name) =>
    there[name] === asked[name] ? [] : [`${name} column ${there[name]}, not ${asked[name]}`],
  );
}

function compare(made: Made, request: StoreRequest, encoding: Encoding | "auto"): string[] {
  const value = (name: string, there: unknown, asked: unknown) =>
    there === asked ? [] : [`${name} ${there}, not ${asked}`];
  const flag = (name: string, there: boolean | undefined, asked: boolean) =>
    there === undefined || there === asked ? [] : [`${there ? "with" : "without"} ${name}`];
  return [
    ...value("pictures of", made.path, request.path),
    ...value("read as", made.kind, request.kind),
    ...columns(made, request),
    ...value("part", made.part ?? "all", request.part ?? "all"),
    ...value("size", made.pictureSize, request.pictureSize),
    ...value("seed", made.seed, request.seed),
    ...value("share for validation", made.valFraction, request.valFraction),
    ...(encoding === "auto" ? [] : value("kept as", made.encoding, encoding)),
    ...flag("missing classes allowed", made.allowMissingClasses, request.allowMissingClasses),
    ...flag("SVG", made.allowSvg, request.allowSvg),
  ];
}
