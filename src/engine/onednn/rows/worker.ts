import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { type Constants, kernelOf } from "./kernels.js";
import { CLOSED, GENERATION, OPERATION, type Told, takeRows, type WorkerStart } from "./team.js";

/** Entry of a worker of a team: sleeps until there are rows, and carries some of them out. */

const { control, port } = workerData as WorkerStart;
const known = new Map<number, (row: number) => void>();

/** What was told since the last time. */
function listen(): void {
  for (let received = receiveMessageOnPort(port); received !== undefined; received = receiveMessageOnPort(port)) {
    const { id, what } = received.message as Told;
    if (what === undefined) known.delete(id);
    else known.set(id, kernelOf(what.name, what.constants as Constants<typeof what.name>));
  }
}

for (let generation = 0; ; ) {
  Atomics.wait(control, GENERATION, generation);
  generation = Atomics.load(control, GENERATION);
  const operation = Atomics.load(control, OPERATION);
  if (operation === CLOSED) break;
  listen();
  const kernel = known.get(operation);
  if (kernel === undefined) continue; // another generation has begun since
  const error = takeRows(control, generation, kernel);
  if (error !== undefined) port.postMessage(error);
}
port.close();
