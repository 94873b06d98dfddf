import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { AlexnetError } from "../../errors.js";
import { compareCodePoints } from "../../images/list.js";
import type { Split } from "../../network/picture.js";
import { bits, Purpose } from "../../random.js";
import { sha256 } from "../../system/sha256.js";
import { enumerate } from "../../text.js";
import { type DatabaseFile, fromJson, keys, toJson } from "../database.js";
import { type Fault, type Item, type Place, type Source, understood } from "../sources/source.js";

/** What is to be read, in order; written down before anything is read, so that an interrupted preparation goes on. */
export interface Plan {
  readonly pictures: number;
  /** In the order of their labels. */
  readonly classes: readonly string[];
  readonly titles: Readonly<Record<string, string>>;
  /** Label by class number, which counts classes as they were met; -1 leaves the class out. */
  readonly labels: readonly number[];
  readonly fingerprint: string;
  /** Validation pictures left out because nothing to train on has their class. */
  readonly leftOut: number;
  /** Archives and folders that could not be read to their end. */
  readonly partial: number;
  /** What a person should know about the set. */
  readonly notes: readonly string[];
}

export interface PlannedPicture {
  readonly name: string;
  readonly label: number;
  readonly split: Split;
  readonly place: Place;
}

/** One entry of the plan. Faults are known already; pictures of classes left out are undefined. */
export type Planned = PlannedPicture | Fault | undefined;

export interface PlanOptions {
  readonly seed: number;
  /** Of each class, where the source has no validation pictures; at least one of a class of two or more. */
  readonly valFraction: number;
  readonly allowMissingClasses: boolean;
  readonly onProgress?: (found: number) => void;
  readonly signal?: AbortSignal;
}

const RECORD = 256; // pictures per plan record

type Entry =
  | readonly [name: string, classNumber: number, split: Split | null, place: Place]
  | readonly [name: string, reason: string];

/** Lists a source into the database. */
export async function writePlan(file: DatabaseFile, source: Source, options: PlanOptions): Promise<Plan> {
  const { database } = file;
  const tally = new Tally(options.seed);
  const fingerprint = createHash("sha256");
  let record: Entry[] = [];
  const flush = () => {
    if (record.length === 0) return;
    const key = keys.plan(Math.ceil(tally.pictures / RECORD) - 1);
    const value = toJson(record);
    database.transactionSync(() => database.putSync(key, value));
    record = [];
  };
  for await (const item of source.items()) {
    options.signal?.throwIfAborted();
    stampItem(fingerprint, item);
    record.push(
      "reason" in item
        ? [item.name, tally.addFault(item)]
        : [item.name, tally.add(item), item.split ?? null, item.place],
    );
    if (record.length === RECORD) {
      flush();
      options.onProgress?.(tally.pictures);
      file.releaseMemory();
      await setImmediate(); // signals and the display get their turn
    }
  }
  flush();
  const { classes, labels, leftOut, notes } = tally.settleClasses(source, options.allowMissingClasses);
  database.transactionSync(() => database.putSync(keys.drawnForValidation, tally.drawValidation(options.valFraction)));
  return {
    pictures: tally.pictures,
    classes,
    titles: Object.fromEntries([...source.titles].filter(([name]) => classes.includes(name))),
    labels,
    fingerprint: fingerprint.digest("hex"),
    leftOut,
    partial: tally.partial.length,
    notes: [...(source.notes ?? []), ...notes],
  };
}

/** Changes when a picture is added, removed, renamed or written to. */
export async function fingerprintSource(source: Source, signal?: AbortSignal): Promise<string> {
  const fingerprint = createHash("sha256");
  let listed = 0;
  for await (const item of source.items()) {
    stampItem(fingerprint, item);
    if (++listed % RECORD > 0) continue;
    await setImmediate(); // signals and the display get their turn
    signal?.throwIfAborted();
  }
  return fingerprint.digest("hex");
}

function stampItem(hash: ReturnType<typeof createHash>, item: Item | Fault): void {
  hash.update("reason" in item ? `${item.name}\0${item.reason}\n` : `${item.split}\0${item.name}\0${item.stamp}\n`);
}

/** The plan from `first` on, in groups of at most `size`. */
export function* readPlan(file: DatabaseFile, plan: Plan, first: number, size: number): Generator<readonly Planned[]> {
  const drawn = new Uint8Array(file.database.getBinary(keys.drawnForValidation) ?? []);
  for (let start = first; start < plan.pictures; ) {
    const index = Math.floor(start / RECORD);
    const record = index * RECORD;
    const entries = readEntries(file, index);
    const end = record + entries.length;
    for (; start < end; start += size)
      yield entries
        .slice(start - record, start - record + size)
        .map((entry, i) => readEntry(entry, plan, drawn[start + i] === 1 ? "val" : "train"));
    start = end;
  }
}

function readEntries(file: DatabaseFile, index: number): readonly Entry[] {
  const bytes = file.database.getBinary(keys.plan(index));
  if (bytes === undefined)
    throw new AlexnetError(
      "damaged-file",
      `${file.path}: plan record ${index} is missing; remove the store and prepare it again`,
    );
  return fromJson(bytes) as readonly Entry[];
}

const DROPPED = 16; // plan records removed in one transaction

/** Once all of it is dealt with. */
export async function dropPlan(file: DatabaseFile, { pictures }: Plan): Promise<void> {
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

function readEntry(entry: Entry, plan: Plan, drawn: Split): Planned {
  if (entry.length === 2) return { name: entry[0], reason: entry[1] };
  const [name, classNumber, split, place] = entry;
  const label = plan.labels[classNumber];
  return label < 0 ? undefined : { name, label, split: split ?? drawn, place };
}

/** What must be known of all pictures before the first is read: 9 bytes each. */
class Tally {
  pictures = 0;
  readonly partial: Fault[] = [];
  #firstFault: Fault | undefined;
  readonly #numbers = new Map<string, number>(); // class numbers by name, as met
  readonly #counts: { train: number; val: number; undecided: number }[] = []; // by class number
  #undecided = new Uint32Array(1024); // by picture: class number + 1, or 0 where the split is given
  #draws = new Uint32Array(1024); // by picture: what decides who is drawn for validation

  constructor(readonly seed: number) {}

  addFault(fault: Fault): string {
    this.#firstFault ??= fault;
    if (fault.isPartial) this.partial.push(fault);
    this.#next();
    return fault.reason;
  }

  /** @returns the number of the item's class. */
  add({ name, className, split }: Item): number {
    const number = this.#numberOf(className);
    this.#counts[number][split ?? "undecided"]++;
    const index = this.#next();
    if (split === undefined) {
      this.#undecided[index] = number + 1;
      this.#draws[index] = bits(this.seed, Purpose.split, hashOfName(name));
    }
    return number;
  }

  #next(): number {
    if (this.pictures === this.#undecided.length) {
      this.#undecided = grown(this.#undecided);
      this.#draws = grown(this.#draws);
    }
    return this.pictures++;
  }

  #numberOf(className: string): number {
    const known = this.#numbers.get(className);
    if (known !== undefined) return known;
    this.#numbers.set(className, this.#counts.length);
    return this.#counts.push({ train: 0, val: 0, undecided: 0 }) - 1;
  }

  /** Of each class the pictures with the lowest draws: the same whatever else is in the set. A byte per picture. */
  drawValidation(fraction: number): Uint8Array {
    const drawn = new Uint8Array(this.pictures);
    const byClass: number[][] = this.#counts.map(() => []);
    for (let i = 0; i < this.pictures; i++) if (this.#undecided[i] > 0) byClass[this.#undecided[i] - 1].push(i);
    for (const members of byClass) {
      const wanted = fraction === 0 || members.length < 2 ? 0 : Math.max(1, Math.round(members.length * fraction));
      members.sort((a, b) => this.#draws[a] - this.#draws[b] || a - b);
      for (const index of members.slice(0, wanted)) drawn[index] = 1;
    }
    return drawn;
  }

  settleClasses(source: Source, allowMissing: boolean) {
    const names = [...this.#numbers.keys()];
    const inTraining = (name: string) => {
      const { train, undecided } = this.#counts[this.#numbers.get(name) ?? 0];
      return train + undecided > 0;
    };
    const trained = names.filter(inTraining);
    if (trained.length === 0) throw nothingToTrainOn(source, this.#firstFault);
    const unknown = names.filter((name) => !inTraining(name)).sort(compareCodePoints);
    const leftOut = unknown.reduce((sum, name) => sum + this.#counts[this.#numbers.get(name) ?? 0].val, 0);
    const hasValidation = this.#counts.some(({ val }) => val > 0);
    const unvalidated = hasValidation
      ? trained.filter((name) => this.#counts[this.#numbers.get(name) ?? 0].val === 0).sort(compareCodePoints)
      : [];
    if (!allowMissing) refuseDifference(source.path, unknown, unvalidated);
    const classes = trained.sort(source.compareClasses ?? compareCodePoints);
    const labelOf = new Map(classes.map((name, label) => [name, label]));
    return {
      classes,
      labels: names.map((name) => (unknown.includes(name) ? -1 : (labelOf.get(name) ?? -1))),
      leftOut,
      notes: notesOn(classes, unknown, unvalidated, this.partial),
    };
  }
}

function refuseDifference(path: string, unknown: readonly string[], unvalidated: readonly string[]): void {
  if (unknown.length + unvalidated.length === 0) return;
  const parts = [
    ...(unknown.length > 0 ? [`only in validation: ${enumerate(unknown)}`] : []),
    ...(unvalidated.length > 0 ? [`only in training: ${enumerate(unvalidated)}`] : []),
  ];
  throw new AlexnetError(
    "classes-differ",
    `${path}: training and validation have different classes (${parts.join("; ")}); ` +
      "make them the same, or pass --allow-missing-classes",
  );
}

function nothingToTrainOn({ path, kind }: Source, fault: Fault | undefined): AlexnetError {
  const example = fault === undefined ? "" : `, and ${fault.name}: ${fault.reason}`;
  return new AlexnetError(
    "unusable-data",
    `${path}: taken for ${kind}, but no pictures to train on${example}; ${understood}`,
  );
}

function notesOn(
  classes: readonly string[],
  unknown: readonly string[],
  unvalidated: readonly string[],
  partial: readonly Fault[],
): string[] {
  const notes: string[] = [];
  if (partial.length > 0)
    notes.push(`incomplete: ${enumerate(partial.map(({ name, reason }) => `${name} (${reason})`))}`);
  if (classes.length === 1) notes.push(`only one class (${classes[0]}): there is nothing to tell it apart from`);
  if (unknown.length > 0) notes.push(`left out, being in validation only: ${enumerate(unknown)}`);
  if (unvalidated.length > 0) notes.push(`without validation pictures: ${enumerate(unvalidated)}`);
  const byLowerCase = new Map<string, string[]>();
  for (const name of classes) {
    const lower = name.toLowerCase();
    byLowerCase.set(lower, [...(byLowerCase.get(lower) ?? []), name]);
  }
  for (const names of byLowerCase.values())
    if (names.length > 1) notes.push(`classes that differ in case only: ${enumerate(names)}`);
  return notes;
}

function hashOfName(name: string): number {
  return sha256(name).readUInt32LE(0);
}

function grown(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
