import { AlexnetError } from "../../errors.js";
import { describeFault } from "../../images/picture.js";
import { readWhole } from "../../system/file-reading.js";

/** The lines of a text file in UTF-8, without a byte-order mark. @throws AlexnetError "unusable-data" where it can't be read. */
export function readLines(path: string): readonly string[] {
  try {
    const text = readWhole(path).toString("utf8");
    return text.replace(/^\ufeff/, "").split(/\r?\n/);
  } catch (error) {
    throw new AlexnetError("unusable-data", `${path}: ${describeFault(error)}`, { cause: error });
  }
}
