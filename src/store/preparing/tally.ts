import { AlexnetError } from "../../errors.js";
import { bits, Purpose } from "../../random.js";
import { sha256 } from "../../system/sha256.js";
import { compareCodePoints, enumerate } from "../../text.js";
import { type Fault, type Item, type Source, understood } from "../sources/source.js";

/** Pictures of a class, by the split that the source gives them. */
interface ClassCounts {
  /** Counts classes as they are met. */
  readonly number: number;
  train: number;
  val: number;
  undecided: number;
}

/** What must be known of all pictures before the first is read: 9 bytes each. */
export class Tally {
  pictures = 0;
  readonly partial: Fault[] = [];
  #firstFault: Fault | undefined;
  readonly #classes = new Map<string, ClassCounts>(); // by name, as met
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
  add({ name, className: given, split }: Item): number {
    const className = given.normalize(); // one class, whichever form of Unicode a disk has its folders in
    const counts = this.#classes.get(className) ?? { number: this.#classes.size, train: 0, val: 0, undecided: 0 };
    this.#classes.set(className, counts);
    counts[split ?? "undecided"]++;
    const { number } = counts;
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

  /** Of each class the pictures with the lowest draws: the same whatever else is in the set. A byte per picture. */
  drawValidation(fraction: number): Uint8Array {
    const drawn = new Uint8Array(this.pictures);
    const byClass = Array.from(this.#classes, (): number[] => []);
    this.#undecided.subarray(0, this.pictures).forEach((numberPlusOne, i) => {
      byClass[numberPlusOne - 1]?.push(i);
    });
    const drawOf = (picture: number): number => this.#draws[picture] ?? 0;
    for (const members of byClass) {
      const wanted = fraction === 0 || members.length < 2 ? 0 : Math.max(1, Math.round(members.length * fraction));
      members.sort((a, b) => drawOf(a) - drawOf(b) || a - b);
      for (const index of members.slice(0, wanted)) drawn[index] = 1;
    }
    return drawn;
  }

  settleClasses(source: Source, allowMissing: boolean) {
    const names = [...this.#classes.keys()];
    const namesOf = (isMeant: (counts: ClassCounts) => boolean): string[] =>
      [...this.#classes].flatMap(([name, counts]) => (isMeant(counts) ? [name] : []));
    const isTrained = ({ train, undecided }: ClassCounts): boolean => train + undecided > 0;
    const trained = namesOf(isTrained);
    if (trained.length === 0) throw nothingToTrainOn(source, this.#firstFault);
    const unknown = namesOf((counts) => !isTrained(counts)).sort(compareCodePoints);
    const leftOut = unknown.reduce((sum, name) => sum + (this.#classes.get(name)?.val ?? 0), 0);
    const hasValidation = namesOf(({ val }) => val > 0).length > 0;
    const unvalidated = hasValidation
      ? namesOf((counts) => isTrained(counts) && counts.val === 0).sort(compareCodePoints)
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
    `${path}: training and validation have different classes (${parts.join("; ")})`,
    { hint: { advice: "make them the same, or go on nevertheless", option: "allowMissingClasses", value: true } },
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
