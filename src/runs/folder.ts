import { appendFileSync, existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { arch, cpus, hostname, platform, release, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { EngineDescription } from "../engine/engine.js";
import { AlexnetError } from "../errors.js";
import { isInCache } from "../store/cache.js";
import { addStoreUser } from "../store/users.js";
import { errnoOf, explainDisk, readJson, removeLeftovers, UNFINISHED, writeWhole } from "../system/files.js";
import { packageVersion } from "../version.js";
import { lockRun, type RunLock } from "./lock.js";
import { type RunConfig, readConfig } from "./settings.js";

/** A folder that holds all of one training run; docs/formats.md describes its files. */
export class RunFolder {
  constructor(readonly path: string) {}

  readonly file = (name: "config.json" | "classes.json" | "environment.json" | "metrics.jsonl" | "log.txt"): string =>
    join(this.path, name);

  get checkpoints(): string {
    return join(this.path, "checkpoints");
  }

  get tensorboard(): string {
    return join(this.path, "tensorboard");
  }

  get lockPath(): string {
    return join(this.path, LOCK);
  }

  /** Whether a run was begun here. */
  get exists(): boolean {
    return existsSync(this.file("config.json"));
  }

  /** Begins a run in a folder that is locked. The config comes last: where it is, a run is. */
  create(config: RunConfig, classes: readonly string[]): void {
    writeWhole(this.file("classes.json"), json(classes));
    this.writeConfig(config);
  }

  /** Names of the classes in the order of the outputs. @throws AlexnetError "damaged-file" */
  readClasses(): readonly string[] {
    return parsed(z.array(z.string()), this.file("classes.json"));
  }

  /** Takes away what a run that never began has left, and the folder if nothing else is in it. */
  removeLeftovers(): void {
    for (const name of leftovers) rmSync(join(this.path, name), { force: true });
    if (readdirSync(this.path).length === 0) rmdirSync(this.path);
  }

  /** @throws AlexnetError "not-found" when there is none, "damaged-file" when its config.json is. */
  readConfig(): RunConfig {
    if (!this.exists)
      throw new AlexnetError("not-found", `${this.path}: no training run`, {
        hint: { advice: "see which there are", call: "listRuns", options: { folder: dirname(this.path) } },
      });
    return readConfig(this.file("config.json"));
  }

  writeConfig(config: RunConfig): void {
    const path = this.file("config.json");
    writeWhole(path, json(config));
    if (isInCache(config.data.store)) addStoreUser(config.data.store, resolve(path));
  }

  /** @throws AlexnetError "already-exists" when the folder holds anything, so that nothing is overwritten. */
  refuseUnlessEmpty(): void {
    if (this.exists)
      throw new AlexnetError("already-exists", `${this.path}: holds a run already`, {
        hint: [{ advice: "resume it", call: "resume", options: { run: this.path } }, anotherFolder],
      });
    const strange = existsSync(this.path)
      ? readdirSync(this.path).filter((name) => !leftovers.has(name) && !name.endsWith(UNFINISHED))
      : [];
    if (strange.length > 0)
      throw new AlexnetError("already-exists", `${this.path}: is no run and not empty (${strange[0]})`, {
        hint: anotherFolder,
      });
  }

  /** @throws AlexnetError "in-use" naming the process that trains here, "disk" when nothing can be written. */
  lock(): RunLock {
    try {
      mkdirSync(this.path, { recursive: true });
      removeLeftovers(this.path);
      return lockRun(this.lockPath);
    } catch (error) {
      if (error instanceof AlexnetError || errnoOf(error) === undefined) throw error;
      throw new AlexnetError("disk", `${this.path}: no run can be kept there (${errnoOf(error)})`, {
        cause: error,
        hint: anotherFolder,
      });
    }
  }

  /** A line with the time before it. */
  log(text: string): void {
    const path = this.file("log.txt");
    try {
      appendFileSync(path, `${new Date().toISOString()} ${text}\n`);
    } catch (error) {
      throw explainDisk(error, path);
    }
  }

  /** What ends a run may leave no room to say so. */
  logIfPossible(text: string): void {
    try {
      this.log(text);
    } catch (error) {
      if (!(error instanceof AlexnetError)) throw error;
    }
  }

  /** Adds what this session runs on to those before it. */
  recordSession(engine: EngineDescription, step: number): void {
    const path = this.file("environment.json");
    const before = existsSync(path) ? parsed(sessionsSchema, path).sessions : [];
    writeWhole(path, json({ sessions: [...before, { step, ...describeEnvironment(), engine }] }));
  }
}

const anotherFolder = { advice: "choose another folder", option: "run" } as const;

const LOCK = "lock";
/** What a run that ended before it had a config may have left. */
const leftovers = new Set([LOCK, "classes.json"]);

const sessionsSchema = z.object({ sessions: z.array(z.unknown()) });

/** The value of a JSON file of the run, which somebody may have changed. */
function parsed<T>(schema: z.ZodType<T>, path: string): T {
  const { success, data, error } = schema.safeParse(readJson(path));
  if (!success) throw new AlexnetError("damaged-file", `${path}: ${z.prettifyError(error)}`);
  return data;
}

function describeEnvironment(): Readonly<Record<string, unknown>> {
  const processors = cpus();
  return {
    time: new Date().toISOString(),
    alexnet: packageVersion(),
    node: process.version,
    command: process.argv,
    host: hostname(),
    system: `${platform()} ${release()} ${arch()}`,
    processor: processors[0]?.model ?? "unknown",
    processors: processors.length,
    memoryBytes: totalmem(),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
