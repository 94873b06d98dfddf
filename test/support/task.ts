import { taskOf } from "#src/task.js";

/** A task that nobody stops and nobody listens to. */
export const unwatched = taskOf<unknown>({});
