import { AlexnetError } from "../../errors.js";
import { counted, shortPercent, thousands } from "../../text.js";
import type { PrepareSummary } from "./summary.js";

/** What is accepted where nobody says: this share, and so many in any case, as of few pictures one is soon a large share. */
const SHARE = 0.01;
const FEW = 5;

/**
 * The one rule for unreadable pictures, of preparing and of training.
 * @param asked the share of them beyond which a set isn't used
 * @throws AlexnetError "unusable-data" naming the list of them
 */
export function refuseUnreadable(
  { info, path, skippedList }: Pick<PrepareSummary, "info" | "path" | "skippedList">,
  asked: number | undefined,
): void {
  const maxBad = asked ?? SHARE;
  const tried = info.skipped + info.counts.train + info.counts.val;
  if (info.partial > 0 && maxBad < 1)
    throw new AlexnetError(
      "unusable-data",
      `${path}: ${info.partial} of the archives or folders could not be read to the end, and how many pictures are ` +
        `missing is unknown: see ${skippedList}; the store is whole and kept`,
      { hint: { advice: "accept it", option: "maxBad", value: 1 } },
    );
  if (info.skipped <= Math.max(tried * maxBad, asked === undefined ? FEW : 0)) return;
  throw new AlexnetError(
    "unusable-data",
    `${path}: ${thousands(info.skipped)} of ${counted(tried, "picture")} could not be read, more than ` +
      `${shortPercent(maxBad)}: see ${skippedList}; the store is whole and kept`,
    { hint: { advice: "accept it with a larger share", option: "maxBad" } },
  );
}
