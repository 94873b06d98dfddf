import type { NativeLibrary } from "../../system/native/library.js";
import type { Pointer } from "../../system/native/memory.js";

/**
 * What MPI's header files give names to and its functions take. The standard left the values to each library until
 * version 5: there are three sets of them.
 *
 * Handles are passed as 64-bit numbers. Where they are ints in C, as MPICH's are, the function reads the lower half of
 * the register.
 */
export interface Constants {
  readonly world: Pointer;
  readonly float32: Pointer;
  readonly float64: Pointer;
  readonly sum: Pointer;
  /** The handler by which a failed call gives its status, instead of ending the process. */
  readonly errorsReturn: Pointer;
  /** In the place of what is sent: it lies where the result is wanted. */
  readonly inPlace: Pointer;
  /** Calls come from several threads, one at a time. */
  readonly serialized: number;
}

/** MPICH 3 to 5, Intel MPI, Cray MPICH and MVAPICH share one set of numbers. */
const mpich: Constants = {
  world: 0x44000000n,
  float32: 0x4c00040an,
  float64: 0x4c00080bn,
  sum: 0x58000003n,
  errorsReturn: 0x54000001n,
  inPlace: 0xffff_ffff_ffff_ffffn, // (void *) -1
  serialized: 2,
};

/** Of the standard since MPI 5: chapter "Application Binary Interface". */
const standard: Constants = {
  world: 0x101n,
  float32: 0x210n,
  float64: 0x214n,
  sum: 0x21n,
  errorsReturn: 0x142n,
  inPlace: 1n,
  serialized: 2048,
};

/** Open MPI's handles are addresses of objects in the library. */
function openMpi(library: NativeLibrary, world: Pointer): Constants {
  const at = (name: string): Pointer => library.address(`ompi_mpi_${name}`) ?? 0n;
  return {
    world,
    float32: at("float"),
    float64: at("double"),
    sum: at("op_sum"),
    errorsReturn: at("errors_return"),
    inPlace: 1n,
    serialized: 2,
  };
}

/** The constants a library was built with, by what symbols it has. */
export function constantsOf(library: NativeLibrary): Constants {
  const world = library.address("ompi_mpi_comm_world");
  if (world !== undefined) return openMpi(library, world);
  return followsStandard(library) ? standard : mpich;
}

/** MPICH 5 has the function too: under its own name for the library it answers -1. */
function followsStandard(library: NativeLibrary): boolean {
  if (library.address("MPI_Abi_get_version") === undefined) return false;
  const [major, minor] = [new Int32Array(1), new Int32Array(1)];
  library.bind({ MPI_Abi_get_version: ["int", "void *", "void *"] }).MPI_Abi_get_version(major, minor);
  return (major[0] ?? 0) >= 1;
}
