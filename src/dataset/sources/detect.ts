import { existsSync } from "node:fs";
import { AlexnetError } from "../../errors.js";
import { openImageFolder } from "./image-folder.js";
import type { Source } from "./source.js";

const LAYOUTS = `understood: train/<class>/ with val/<class>/, or <class>/ folders of pictures`;

/** Tells what form of picture set was given by looking at it. @throws AlexnetError "data" for none it knows. */
export async function detectSource(path: string): Promise<Source> {
  if (!existsSync(path)) throw new AlexnetError("data", `${path}: no such file or folder`);
  const source = await openImageFolder(path);
  if (source === undefined) throw new AlexnetError("data", `${path}: no class folders in it; ${LAYOUTS}`);
  return source;
}
