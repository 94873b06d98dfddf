import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { AlexnetError } from "../../errors.js";
import { describeFault } from "../../images/picture.js";
import type { Split } from "../../network/picture.js";
import { readWhole } from "../../system/file-reading.js";

import { listArchive, placeOf, untilDamaged } from "./archive.js";
import { readSynsets } from "./meta-mat.js";
import type { Fault, Item, Source } from "./source.js";
import { type Bytes, readTar } from "./tar.js";

const TRAIN = "ILSVRC2012_img_train.tar";
const VALIDATION = "ILSVRC2012_img_val.tar";
const DEVKIT = "ILSVRC2012_devkit_t12.tar.gz";

/**
 * ImageNet's archives as they are distributed, read in place: a tar of class tars; the validation pictures in one tar,
 * their classes in the devkit. `path` is the folder that has them, or one of them.
 */
export function openIlsvrcArchives(path: string): Source | undefined {
  const folder = [TRAIN, VALIDATION, DEVKIT].includes(basename(path)) ? dirname(path) : path;
  const [train, validation, devkit] = [join(folder, TRAIN), join(folder, VALIDATION), join(folder, DEVKIT)];
  if (!existsSync(train)) {
    const isMeant = folder === path ? existsSync(validation) && !existsSync(join(path, "train")) : existsSync(path);
    if (!isMeant) return undefined;
    throw new AlexnetError("unusable-data", `${folder}: no ${TRAIN} to train on; put it beside the other archives`);
  }
  if (existsSync(validation) && !existsSync(devkit))
    throw new AlexnetError(
      "unusable-data",
      `${validation}: what its pictures show is in ${DEVKIT}; put that beside it`,
    );
  const kit = existsSync(devkit) ? readDevkit(devkit) : undefined;
  return {
    kind: "ILSVRC archives",
    path: folder,
    titles: kit?.titles ?? new Map(),
    *items() {
      const divided = kit !== undefined && existsSync(validation);
      yield* listArchive(train, (file, stamp) => listTraining(file, train, stamp, divided ? "train" : undefined));
      if (divided)
        yield* listArchive(validation, (file, stamp) => listValidation(file, validation, stamp, kit.classOfPicture));
    },
  };
}

interface Devkit {
  readonly titles: ReadonlyMap<string, string>;
  /** Class names of the validation pictures, the first one's at 0. */
  readonly classOfPicture: readonly string[];
}

function readDevkit(path: string): Devkit {
  try {
    return parseDevkit(path);
  } catch (error) {
    throw new AlexnetError("damaged-file", `${path}: damaged: ${describeFault(error)}`, { cause: error });
  }
}

function parseDevkit(path: string): Devkit {
  const archive = gunzipSync(readWhole(path), { maxOutputLength: 256 << 20 });
  const bytes: Bytes = { length: archive.length, read: (offset, length) => archive.subarray(offset, offset + length) };
  const files = [...readTar(bytes)];
  const find = (name: string): Buffer => {
    const entry = files.find((file) => basename(file.path) === name);
    if (entry === undefined) throw new AlexnetError("unusable-data", `no ${name} in it`);
    return archive.subarray(entry.offset, entry.offset + entry.length);
  };
  const synsets = readSynsets(find("meta.mat"));
  const wnids = new Map(synsets.map(({ id, wnid }) => [id, wnid]));
  const numbers = find("ILSVRC2012_validation_ground_truth.txt").toString("latin1").trim().split(/\s+/);
  const classOfPicture = numbers.map((text, i) => {
    const wnid = wnids.get(Number(text));
    if (wnid === undefined)
      throw new AlexnetError("unusable-data", `class ${text} of picture ${i + 1} is not in meta.mat`);
    return wnid;
  });
  return { titles: new Map(synsets.map(({ wnid, words }) => [wnid, words])), classOfPicture };
}

function* listTraining(file: Bytes, path: string, stamp: string, split: Split | undefined): Generator<Item | Fault> {
  const archive = basename(path);
  yield* untilDamaged(archive, readTar(file), function* (inner) {
    const className = basename(inner.path, ".tar");
    if (inner.fault !== undefined) {
      yield { name: `${archive}!${inner.path}`, reason: inner.fault, isPartial: true };
      return;
    }
    yield* untilDamaged(
      `${archive}!${inner.path}`,
      readTar(file, inner.offset, inner.offset + inner.length),
      function* (entry) {
        const name = `${archive}!${inner.path}!${entry.path}`;
        if (entry.fault !== undefined) yield { name, reason: entry.fault };
        else yield { name, className, split, place: placeOf(entry, path), stamp };
      },
    );
  });
}

function* listValidation(
  file: Bytes,
  path: string,
  stamp: string,
  classes: readonly string[],
): Generator<Item | Fault> {
  const archive = basename(path);
  yield* untilDamaged(archive, readTar(file), function* (entry) {
    const name = `${archive}!${entry.path}`;
    const number = Number(/_(\d{8})\.[^.]*$/.exec(entry.path)?.[1]);
    const className = classes[number - 1];
    if (entry.fault !== undefined) yield { name, reason: entry.fault };
    else if (className === undefined) yield { name, reason: "not in the devkit's ground truth" };
    else yield { name, className, split: "val", place: placeOf(entry, path), stamp };
  });
}
