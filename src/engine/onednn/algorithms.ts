import { cpus } from "node:os";
import { join } from "node:path";
import { AlexnetError } from "../../errors.js";
import { cacheFolder } from "../../system/cache-folder.js";
import type { AlgorithmChoices } from "../engine.js";
import { SavedChoices } from "../program/choices.js";
import { Build, type Tensor } from "./build.js";
import { NotImplementedError } from "./native/bindings.js";
import type { Library } from "./native/library.js";

/** One of several algorithms for an operation. */
export interface Candidate {
  readonly name: string;
  /** What it consists of, by the library's names: "simple:any jit:avx2". */
  describe(): string;
  /** Makes it ready to run, in memory of its own. */
  prepare(): Trial;
}

export interface Trial {
  run(): void;
  close(): void;
}

/** Where choices come from, besides measuring. */
export interface Sources {
  /** By operation; these go before all else. */
  readonly given?: AlgorithmChoices;
  /** Whether to measure what isn't known; else it is the first candidate. */
  readonly measures: boolean;
  /** "measure", "default" for the first candidate always, or the name of the candidate to take wherever there is one. */
  readonly preference: string;
  /** Where measured choices are kept from one program to the next. */
  readonly file: string;
  /** Milliseconds. */
  readonly clock: () => number;
}

const preferences = ["measure", "default", "direct", "product", "winograd", "space-to-depth"];

const LEAST_OPERATIONS = 1e7; // floating-point operations: below, measuring takes longer than it ever gains
const ROUNDS = 3;
/** A candidate so many times slower than the quickest in the first round is out. */
const FAR_BEHIND = 2;
/** What a candidate may take of the first one's time, so that noise decides nothing. */
const WORTHWHILE = 0.95;

/** What the environment says of choices: "measure" unless it says otherwise. @throws AlexnetError "invalid-option" for a preference that is none. */
export function preferredAlgorithms(): string {
  const preference = process.env.ALEXNET_ALGORITHMS || "measure";
  if (!preferences.includes(preference))
    throw new AlexnetError("invalid-option", `ALEXNET_ALGORITHMS=${preference}: is none of ${preferences.join(", ")}`);
  return preference;
}

/** Where choices come from as the environment says. @throws AlexnetError "invalid-option" as `preferredAlgorithms` */
export function usualSources(options: Pick<Sources, "given" | "measures">): Sources {
  return {
    ...options,
    preference: preferredAlgorithms(),
    file: join(cacheFolder(), "choices", "onednn.json"),
    clock: () => performance.now(),
  };
}

/** All that a choice depends on besides the operation. */
export function describeMachine({ version, instructionSet, threads }: Library): string {
  return `${cpus()[0]?.model ?? process.arch}, oneDNN ${version}, ${instructionSet}, ${threads} threads`;
}

/** Chooses how the operations of one program are carried out. */
export class Algorithms {
  readonly #machine: string;
  readonly #sources: Sources;
  readonly #chosen: Record<string, string> = {};

  constructor(machine: string, sources: Sources) {
    this.#machine = machine;
    this.#sources = sources;
  }

  /** What was taken where there was a choice, by operation. */
  get chosen(): AlgorithmChoices {
    return { ...this.#chosen };
  }

  /**
   * @param operation its layer and direction
   * @param problem all that its time depends on but the machine and the candidates
   */
  choose<C extends Candidate>(operation: string, problem: string, flops: number, candidates: readonly C[]): C {
    const [usual] = candidates;
    if (candidates.length === 1) return usual;
    const named = (name: string | undefined) => candidates.find((candidate) => candidate.name === name);
    const { given, preference } = this.#sources;
    const free = (): C => {
      if (preference !== "measure") return named(preference) ?? usual;
      return flops < LEAST_OPERATIONS ? usual : this.#quickest(problem, candidates);
    };
    const chosen = named(given?.[operation]) ?? free();
    this.#chosen[operation] = chosen.name;
    return chosen;
  }

  #quickest<C extends Candidate>(problem: string, candidates: readonly C[]): C {
    const { file, measures, clock } = this.#sources;
    const described = candidates.map((candidate) => `${candidate.name}: ${candidate.describe()}`);
    const key = [this.#machine, problem, ...described].join("; ");
    const saved = new SavedChoices(file);
    const known = candidates.find(({ name }) => name === saved.get(key));
    if (known !== undefined || !measures) return known ?? candidates[0];
    const found = quickest(candidates, clock);
    saved.keep(key, found.name);
    return found;
  }
}

/** A candidate that is carried out as a program of its own, to which `add` adds its operations. */
export function asProgram({ library, arithmetic }: Build, name: string, add: (build: Build) => void): Candidate {
  const planned = (): Build => {
    const build = new Build(library, arithmetic);
    try {
      add(build);
    } catch (error) {
      build.close();
      throw error;
    }
    return build;
  };
  let described: string | undefined;
  return {
    name,
    describe() {
      if (described !== undefined) return described;
      const build = planned();
      described = build.implementations.join(" ");
      build.close();
      return described;
    },
    prepare() {
      const build = planned();
      const operations = build.finish();
      return {
        run() {
          for (const operation of operations) operation.run();
        },
        close: () => build.close(),
      };
    },
  };
}

/** Whether the library has all that a candidate consists of: parts of blocked layouts, for one, only at whole blocks. */
export function isPossible(candidate: Candidate): boolean {
  try {
    candidate.describe();
    return true;
  } catch (error) {
    if (error instanceof NotImplementedError) return false;
    throw error;
  }
}

/** A tensor of `tensor`'s layout in another build. */
export function standIn(build: Build, { descriptor }: Pick<Tensor, "descriptor">): Tensor {
  return build.tensor(descriptor, { kept: true });
}

/** By the least of a few times, taken in turns; the first candidate where none is clearly quicker. */
function quickest<C extends Candidate>(candidates: readonly C[], clock: () => number): C {
  const trials: Trial[] = [];
  try {
    for (const candidate of candidates) trials.push(candidate.prepare());
    const time = (index: number): number => {
      const start = clock();
      trials[index].run();
      return clock() - start;
    };
    const first = candidates.map((_, index) => time(index)); // memory is touched for the first time: only roughly right
    const near = [...candidates.keys()].filter((index) => first[index] <= FAR_BEHIND * Math.min(...first));
    const least = candidates.map(() => Number.POSITIVE_INFINITY);
    if (near.length > 1)
      for (let round = 0; round < ROUNDS; round++)
        for (const index of near) least[index] = Math.min(least[index], time(index));
    const best = near.reduce((a, b) => (least[b] < least[a] ? b : a));
    return least[best] <= WORTHWHILE * least[0] ? candidates[best] : candidates[0];
  } finally {
    for (const trial of trials) trial.close();
  }
}
