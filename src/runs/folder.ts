import { appendFileSync, existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { arch, cpus, hostname, platform, release, totalmem } from "node:os";
import { join, resolve } from "node:path";
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

  /** In the order of the outputs. */
  readClasses(): readonly string[] {
    return z.array(z.string()).parse(readJson(this.file("classes.json")));
  }

  /** Takes away what a run that never began has left, and the folder if nothing else is in it. */
  removeLeftovers(): void {
    for (const name of leftovers) rmSync(join(this.path, name), { force: true });
    if (readdirSync(this.path).length === 0) rmdirSync(this.path);
  }

  /** @throws AlexnetError "run" when there is none or it is damaged. */
  readConfig(): RunConfig {
    if (!this.exists)
      throw new AlexnetError("not-found", `${this.path}: no training run; \`alexnet runs\` lists those there are`);
    return readConfig(this.file("config.json"));
  }

  writeConfig(config: RunConfig): void {
    const path = this.file("config.json");
    writeWhole(path, json(config));
    if (isInCache(config.data.store)) addStoreUser(config.data.store, resolve(path));
  }

  /** @throws AlexnetError "run" when the folder holds anything, so that nothing is overwritten. */
  refuseUnlessEmpty(): void {
    if (this.exists)
      throw new AlexnetError(
        "already-exists",
        `${this.path}: holds a run already; go on with it (alexnet train --resume ${this.path}) or choose another --run`,
      );
    const strange = existsSync(this.path)
      ? readdirSync(this.path).filter((name) => !leftovers.has(name) && !name.endsWith(UNFINISHED))
      : [];
    if (strange.length > 0)
      throw new AlexnetError(
        "already-exists",
        `${this.path}: is no run and not empty (${strange[0]}); choose another --run`,
      );
  }

  /** @throws AlexnetError "run" naming the process that trains here, or why nothing can be written. */
  lock(): RunLock {
    try {
      mkdirSync(this.path, { recursive: true });
      removeLeftovers(this.path);
      return lockRun(this.lockPath);
    } catch (error) {
      if (error instanceof AlexnetError || errnoOf(error) === undefined) throw error;
      throw new AlexnetError(
        "disk",
        `${this.path}: no run can be kept there (${errnoOf(error)}); choose another --run`,
        {
          cause: error,
        },
      );
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
    const before = existsSync(path) ? sessionsSchema.parse(readJson(path)).sessions : [];
    writeWhole(path, json({ sessions: [...before, { step, ...describeEnvironment(), engine }] }));
  }
}

const LOCK = "lock";
/** What a run that ended before it had a config may have left. */
const leftovers = new Set([LOCK, "classes.json"]);

const sessionsSchema = z.object({ sessions: z.array(z.unknown()) });

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
