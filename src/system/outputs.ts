import { accessSync, closeSync, constants, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { AlexnetError } from "../errors.js";
import { destinationOf, explainDisk, unfinishedName } from "./files.js";

/**
 * Checks before long work that a file can be written at its end, by writing nothing beside it; makes the folder that it
 * lies in.
 * @param option the option that names the path, for the hint
 * @param kind "whole" for files that get their name at the end, which pipes and devices can't
 * @throws AlexnetError "disk" saying why not
 */
export function checkOutput(path: string, option: string, kind: "any" | "whole" = "any"): void {
  const hint = elsewhere(option);
  if (path === "") throw new AlexnetError("invalid-option", "an empty name of a file", { hint });
  try {
    const { target, isSpecial } = destinationOf(path);
    if (isSpecial && kind === "whole")
      throw new AlexnetError("disk", `${path}: can't be written (a pipe or a device, which can't be resumed)`);
    if (isSpecial) {
      accessSync(target, constants.W_OK);
      return;
    }
    if (statSync(target, { throwIfNoEntry: false })?.isDirectory())
      throw new AlexnetError("disk", `${path}: can't be written (a folder is there)`);
    mkdirSync(dirname(target), { recursive: true });
    const beside = unfinishedName(target);
    closeSync(openSync(beside, "wx"));
    rmSync(beside, { force: true });
  } catch (error) {
    throw withHint(error, path, option);
  }
}

/** Makes a folder for outputs, with those above it. @throws as `checkOutput` */
export function makeOutputFolder(path: string, option: string): void {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw withHint(error, path, option);
  }
}

function withHint(error: unknown, path: string, option: string): unknown {
  const explained = explainDisk(error, path);
  if (!(explained instanceof AlexnetError)) return explained;
  return new AlexnetError(explained.code, explained.problem, { cause: error, hint: elsewhere(option) });
}

const elsewhere = (option: string) => ({ advice: "choose another place", option });
