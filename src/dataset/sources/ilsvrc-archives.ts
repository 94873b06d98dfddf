import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { AlexnetError } from "../../errors.js";
import type { Split } from "../database.js";
import { placeOf, stampOf, untilDamaged } from "./archive.js";
import { readSynsets } from "./meta-mat.js";
import type { Fault, Item, Source } from "./source.js";
import { type Bytes, readTar, withFile } from "./tar.js";

const TRAIN = "ILSVRC2012_img_train.tar";
const VALIDATION = "ILSVRC2012_img_val.tar";
const DEVKIT = "ILSVRC2012_devkit_t12.tar.gz";

/**
 * ImageNet's archives as they are distributed, read in place: a tar of class tars; the validation pictures in one tar,
 * their classes in the devkit. `path` is the folder that has them, or the training archive.
 */
export function openIlsvrcArchives(path: string): Source | undefined {
  const folder = basename(path) === TRAIN ? dirname(path) : path;
  const [train, validation, devkit] = [TRAIN, VALIDATION, DEVKIT].map((name) => join(folder, name));
  if (!existsSync(train)) return undefined;
  if (existsSync(validation) && !existsSync(devkit))
    throw new AlexnetError("data", `${validation}: what its pictures show is in ${DEVKIT}; put that beside it`);
  const kit = existsSync(devkit) ? readDevkit(devkit) : undefined;
  return {
    kind: "ILSVRC archives",
    path: folder,
    titles: kit?.titles ?? new Map(),
    *items() {
      const divided = kit !== undefined && existsSync(validation);
      yield* withFile(train, (file) => listTraining(file, train, divided ? "train" : undefined));
      if (divided) yield* withFile(validation, (file) => listValidation(file, validation, kit.classOfPicture));
    },
  };
}

interface Devkit {
  readonly titles: ReadonlyMap<string, string>;
  /** Class names of the validation pictures, the first one's at 0. */
  readonly classOfPicture: readonly string[];
}

function readDevkit(path: string): Devkit {
  const archive = gunzipSync(readFileSync(path), { maxOutputLength: 256 << 20 });
  const bytes: Bytes = { length: archive.length, read: (offset, length) => archive.subarray(offset, offset + length) };
  const files = [...readTar(bytes)];
  const find = (name: string): Buffer => {
    const entry = files.find((file) => basename(file.path) === name);
    if (entry === undefined) throw new AlexnetError("data", `${path}: no ${name} in it`);
    return archive.subarray(entry.offset, entry.offset + entry.length);
  };
  const synsets = readSynsets(find("meta.mat"));
  const wnids = new Map(synsets.map(({ id, wnid }) => [id, wnid]));
  const numbers = find("ILSVRC2012_validation_ground_truth.txt").toString("latin1").trim().split(/\s+/);
  const classOfPicture = numbers.map((text, i) => {
    const wnid = wnids.get(Number(text));
    if (wnid === undefined)
      throw new AlexnetError("data", `${path}: class ${text} of picture ${i + 1} is not in meta.mat`);
    return wnid;
  });
  return { titles: new Map(synsets.map(({ wnid, words }) => [wnid, words])), classOfPicture };
}

function* listTraining(file: Bytes, path: string, split: Split | undefined): Generator<Item | Fault> {
  const archive = basename(path);
  const stamp = stampOf(path);
  yield* untilDamaged(archive, readTar(file), function* (inner) {
    const className = basename(inner.path, ".tar");
    yield* untilDamaged(
      `${archive}!${inner.path}`,
      readTar(file, inner.offset, inner.offset + inner.length),
      function* (entry) {
        const name = `${archive}!${inner.path}!${entry.path}`;
        yield { name, className, split, place: placeOf(entry, path), stamp };
      },
    );
  });
}

function* listValidation(file: Bytes, path: string, classes: readonly string[]): Generator<Item | Fault> {
  const archive = basename(path);
  const stamp = stampOf(path);
  yield* untilDamaged(archive, readTar(file), function* (entry) {
    const name = `${archive}!${entry.path}`;
    const number = Number(/_(\d{8})\.[^.]*$/.exec(entry.path)?.[1]);
    const className = classes[number - 1];
    if (className === undefined) yield { name, reason: "not in the devkit's ground truth" };
    else yield { name, className, split: "val", place: placeOf(entry, path), stamp };
  });
}
