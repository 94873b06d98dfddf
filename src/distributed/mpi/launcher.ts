/** The families of MPI whose programs can't meet those of another. */
export type Family = "Open MPI" | "MPICH";

/** What the program that started this process says of it. */
export interface Launch {
  /** Undefined where any could have done it. */
  readonly family: Family | undefined;
  readonly size: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Each launcher's own variable with the number of processes it started. */
const sizeVariables: readonly (readonly [name: string, family: Family | undefined])[] = [
  ["OMPI_COMM_WORLD_SIZE", "Open MPI"],
  ["PMI_SIZE", "MPICH"],
];

/** How this process was started; undefined where by no launcher of MPI. */
export function launchOf(environment: Environment): Launch | undefined {
  for (const [name, family] of sizeVariables) {
    const size = Number(environment[name]);
    if (Number.isInteger(size) && size > 0) return { family, size };
  }
  // srun sets these for each of its tasks; sbatch's own script has SLURM_NTASKS too, but is no step.
  const { SLURM_STEP_NUM_TASKS, SLURM_PROCID } = environment;
  const tasks = Number(SLURM_STEP_NUM_TASKS);
  if (SLURM_PROCID !== undefined && Number.isInteger(tasks) && tasks > 0) return { family: undefined, size: tasks };
  return undefined;
}
