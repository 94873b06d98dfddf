import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Split } from "../../network/picture.js";
import { type Task, throwIfStopped } from "../../task.js";
import { type DatabaseFile, damagedStore, keys, toJson } from "../database.js";
import type { Fault, Item, Place, Source } from "../sources/source.js";
import { Tally } from "./tally.js";
import { type Entry, type Listing, readDrawn, readEntries, type StoreRequest } from "./unfinished.js";

export interface ListedPicture {
  readonly name: string;
  readonly label: number;
  readonly split: Split;
  readonly place: Place;
}

/** One entry of the list. Faults are known already; pictures of classes left out are undefined. */
export type Listed = ListedPicture | Fault | undefined;

const RECORD = 256; // entries per record

/** Lists a source into the database. @param found gets how many entries there are so far */
export async function writeListing(
  file: DatabaseFile,
  source: Source,
  request: StoreRequest,
  found: (entries: number) => void,
  task: Pick<Task, "signal">,
): Promise<Listing> {
  const { database } = file;
  const tally = new Tally(request.seed);
  const fingerprint = createHash("sha256");
  let record: Entry[] = [];
  const flush = () => {
    if (record.length === 0) return;
    const key = keys.plan(Math.ceil(tally.pictures / RECORD) - 1);
    const value = toJson(record);
    database.transactionSync(() => database.putSync(key, value));
    record = [];
  };
  for await (const item of source.items(task)) {
    stampItem(fingerprint, item);
    record.push(
      "reason" in item
        ? [item.name, tally.addFault(item)]
        : [item.name, tally.add(item), item.split ?? null, item.place],
    );
    if (record.length === RECORD) {
      flush();
      found(tally.pictures);
      file.releaseMemory();
      await setImmediate(); // signals and the display get their turn
      throwIfStopped(task, `listing ${source.path}`);
    }
  }
  flush();
  const { classes, labels, leftOut, notes } = tally.settleClasses(source, request.allowMissingClasses);
  database.transactionSync(() => database.putSync(keys.drawnForValidation, tally.drawValidation(request.valFraction)));
  return {
    pictures: tally.pictures,
    classes,
    titles: Object.fromEntries(
      [...source.titles].flatMap(([name, title]) =>
        classes.includes(name.normalize()) ? [[name.normalize(), title] as const] : [],
      ),
    ),
    labels,
    fingerprint: fingerprint.digest("hex"),
    leftOut,
    partial: tally.partial.length,
    notes: [...(source.notes ?? []), ...notes],
  };
}

/** Changes when a picture is added, removed, renamed or written to. */
export async function fingerprintSource(source: Source, task: Pick<Task, "signal">): Promise<string> {
  const fingerprint = createHash("sha256");
  let listed = 0;
  for await (const item of source.items(task)) {
    stampItem(fingerprint, item);
    if (++listed % RECORD > 0) continue;
    await setImmediate(); // signals and the display get their turn
    throwIfStopped(task, `listing ${source.path}`);
  }
  return fingerprint.digest("hex");
}

function stampItem(hash: ReturnType<typeof createHash>, item: Item | Fault): void {
  hash.update("reason" in item ? `${item.name}\0${item.reason}\n` : `${item.split}\0${item.name}\0${item.stamp}\n`);
}

/**
 * The listed pictures from `first` on, in groups of at most `size`.
 * @throws AlexnetError "damaged-file" naming the store where its list is not whole.
 */
export function* readListing(
  { database, path }: DatabaseFile,
  listing: Listing,
  first: number,
  size: number,
): Generator<readonly Listed[]> {
  const drawn = readDrawn(database, path, listing);
  for (let start = first; start < listing.pictures; ) {
    const index = Math.floor(start / RECORD);
    const record = index * RECORD;
    const entries = readEntries(database, path, index);
    if (entries.length !== Math.min(RECORD, listing.pictures - record))
      throw damagedStore(path, `${keys.plan(index)} has ${entries.length} entries`);
    const end = record + entries.length;
    for (; start < end; start += size)
      yield entries
        .slice(start - record, start - record + size)
        .map((entry, i) => listed(entry, listing, drawn[start + i] === 1 ? "val" : "train", path));
    start = end;
  }
}

const DROPPED = 16; // records removed in one transaction

/** Removes the list, once all of it is dealt with. */
export async function dropListing(file: DatabaseFile, { pictures }: Listing): Promise<void> {
  const records = Math.ceil(pictures / RECORD);
  for (let start = 0; start < records; start += DROPPED) {
    const { database } = file;
    database.transactionSync(() => {
      for (let i = start; i < Math.min(start + DROPPED, records); i++) database.removeSync(keys.plan(i));
    });
    file.releaseMemory();
    await setImmediate(); // signals and the display get their turn
  }
}

function listed(entry: Entry, { labels }: Listing, drawn: Split, path: string): Listed {
  if (entry.length === 2) return { name: entry[0], reason: entry[1] };
  const [name, classNumber, split, place] = entry;
  const label = labels[classNumber];
  if (label === undefined) throw damagedStore(path, `${name} is of class number ${classNumber} of ${labels.length}`);
  return label < 0 ? undefined : { name, label, split: split ?? drawn, place };
}
