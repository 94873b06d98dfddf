import { AlexnetError } from "../../errors.js";
import type { NativeLibrary } from "../../system/native/library.js";
import { writtenInteger } from "../../system/native/memory.js";
import type { Signatures } from "../../system/native/signatures.js";
import type { Summands, World } from "../world.js";
import { type Constants, constantsOf } from "./abi.js";
import { type Launch, launchOf } from "./launcher.js";
import { loadMpi, versionOf } from "./library.js";

/** Handles and MPI_IN_PLACE are "uint64": see `abi.ts`. */
const calls = {
  MPI_Init_thread: ["int", "void *", "void *", "int", "void *"],
  MPI_Comm_rank: ["int", "uint64", "void *"],
  MPI_Comm_size: ["int", "uint64", "void *"],
  MPI_Comm_set_errhandler: ["int", "uint64", "uint64"],
  MPI_Error_string: ["int", "int", "void *", "void *"],
  MPI_Finalize: ["int"],
} as const satisfies Signatures;

/** Those that wait for other ranks: they do so on another thread. */
const waitingCalls = {
  MPI_Allreduce: ["int", "uint64", "void *", "int", "uint64", "uint64", "uint64"],
  MPI_Bcast: ["int", "void *", "int", "uint64", "int", "uint64"],
} as const satisfies Signatures;

/**
 * The world of the processes that `mpirun` or `srun` started; of one process where neither did. A process can do this
 * once: MPI can't be begun again after `close`.
 * @throws AlexnetError "engine" where there is no MPI, or another one than the launcher's
 */
export function openMpiWorld(): World {
  return new MpiWorld(loadMpi(), launchOf(process.env));
}

class MpiWorld implements World {
  readonly rank: number;
  readonly size: number;
  readonly #constants: Constants;
  readonly #calls;
  readonly #waiting;
  /** Collectives go one after another: MPI is begun for one call at a time, and ranks must agree on their order. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(library: NativeLibrary, launch: Launch | undefined) {
    this.#constants = constantsOf(library);
    this.#calls = library.bind(calls);
    this.#waiting = library.bindWaiting(waitingCalls);
    const { world, serialized, errorsReturn } = this.#constants;
    const provided = writtenInteger((out) =>
      this.#check("MPI_Init_thread", this.#calls.MPI_Init_thread(null, null, serialized, out)),
    );
    this.#check("MPI_Comm_set_errhandler", this.#calls.MPI_Comm_set_errhandler(world, errorsReturn));
    this.rank = writtenInteger((out) => this.#check("MPI_Comm_rank", this.#calls.MPI_Comm_rank(world, out)));
    this.size = writtenInteger((out) => this.#check("MPI_Comm_size", this.#calls.MPI_Comm_size(world, out)));
    if (provided >= serialized && (launch === undefined || launch.size === this.size)) return;
    this.#calls.MPI_Finalize();
    const version = versionOf(library);
    if (provided < serialized)
      throw new AlexnetError("engine", `${version} was built without threads; install one that has them`);
    const launcher = launch?.family === undefined ? "The launcher" : `${launch.family}'s mpirun`;
    throw new AlexnetError(
      "engine",
      `${launcher} started ${launch?.size} processes, but ${version} (${library.path}) sees ${this.size}: it is another MPI ` +
        "than the launcher's. Use the mpirun of this library, or name the launcher's library by ALEXNET_MPI_PATH",
    );
  }

  sum(values: Summands): Promise<void> {
    const { inPlace, sum, world } = this.#constants;
    return this.#inTurn("MPI_Allreduce", () =>
      this.#waiting.MPI_Allreduce(inPlace, values, values.length, this.#typeOf(values), sum, world),
    );
  }

  share(values: Summands): Promise<void> {
    return this.#inTurn("MPI_Bcast", () =>
      this.#waiting.MPI_Bcast(values, values.length, this.#typeOf(values), 0, this.#constants.world),
    );
  }

  /** Waits until every rank has called it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    this.#check("MPI_Finalize", this.#calls.MPI_Finalize());
  }

  #inTurn(name: string, call: () => Promise<number>): Promise<void> {
    if (this.#closed) throw new AlexnetError("closed", "this world is closed");
    const done = this.#last.then(call).then((status) => this.#check(name, status));
    this.#last = done.catch(() => {}); // whoever made the call is told; the next is made all the same
    return done;
  }

  #typeOf(values: Summands): bigint {
    return values instanceof Float32Array ? this.#constants.float32 : this.#constants.float64;
  }

  #check(name: string, status: number): void {
    if (status === 0) return;
    const text = Buffer.alloc(512); // MPI_MAX_ERROR_STRING of the longest
    const length = writtenInteger((out) => this.#calls.MPI_Error_string(status, text, out));
    throw new AlexnetError("engine", `MPI: ${name} failed: ${text.toString("utf8", 0, length)}`);
  }
}
