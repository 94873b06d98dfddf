import { parentPort, workerData } from "node:worker_threads";
import { AlexnetError } from "../../errors.js";
import { valuesAt } from "../mapped-memory.js";
import { packError } from "./crossing-error.js";
import {
  type Argument,
  type CallMessage,
  canMove,
  isClosable,
  type MessageFromThread,
  type MessageToThread,
  movedWith,
  OPENING,
  type ReadyMessage,
  SURFACE,
} from "./protocol.js";
import { Turns } from "./turns.js";

export interface ServeOptions {
  /** The surface keeps the order of its calls: each is handed to it as it comes. Default: one at a time. */
  readonly ordersItself?: boolean;
}

/**
 * The thread's end of the protocol (protocol.ts): what its entry file calls, once. Members of the surface, and of what
 * its calls answer with to stay, are properties of their own, not of a class.
 * @typeParam Setup what the thread is started with, as `Thread` or `Pool` was given it
 * @param open makes the surface; an error in it refuses every call
 */
export function serve<Setup, Surface extends object>(
  open: (setup: Setup) => Surface | Promise<Surface>,
  { ordersItself = false }: ServeOptions = {},
): void {
  const port = parentPort;
  if (port === null) throw new Error("serve: called on the main thread, which nobody calls");
  const turns = new Turns();
  const objects = new Map<number, object>();
  let lastObject = SURFACE;

  const post = (message: MessageFromThread<unknown>, moved: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, moved);
  const refuse = (id: number, error: unknown): void => post({ kind: "failure", id, error: packError(error) });
  const answer = (id: number, value: unknown): void => {
    if (isClosable(value)) {
      objects.set(++lastObject, value);
      post(describe(id, lastObject, value));
    } else post({ kind: "answer", id, value }, [...new Set([...movedWith(value), ...wholeBuffer(value)])]);
  };

  const begin = ({ object: number, method, args }: CallMessage): unknown => {
    const object = objects.get(number);
    if (object === undefined) throw new AlexnetError("closed", `${method}: called after close`);
    if (number !== SURFACE && method === "close") objects.delete(number);
    return invoke(object, method, args.map(unpack));
  };

  const end = async (id: number): Promise<void> => {
    turns.drop();
    const surface = objects.get(SURFACE);
    await turns
      .take(() => isClosable(surface) && surface.close())
      .then(
        () => answer(id, undefined),
        (error) => refuse(id, error),
      );
    process.exit();
  };

  const opening = Promise.resolve(workerData)
    .then(open)
    .then((surface) => {
      objects.set(SURFACE, surface);
      post(describe(OPENING, SURFACE, surface));
    })
    .catch((error) => {
      refuse(OPENING, error);
      process.exit();
    });

  port.on("messageerror", (error) => {
    throw error; // nobody can tell which call it was: all fail, by the thread's end
  });
  port.on("message", async (message: MessageToThread) => {
    await opening;
    if (message.kind === "end") return end(message.id);
    try {
      answer(message.id, await (ordersItself ? begin(message) : turns.take(() => begin(message))));
    } catch (error) {
      refuse(message.id, error);
    }
  });
}

function describe(id: number, object: number, surface: object): ReadyMessage<unknown> {
  const members = Object.entries(surface);
  const isCall = ([, member]: [string, unknown]): boolean => typeof member === "function";
  return {
    kind: "ready",
    id,
    object,
    calls: members.filter(isCall).map(([name]) => name),
    values: Object.fromEntries(members.filter((member) => !isCall(member))),
  };
}

function invoke(object: object, method: string, args: readonly unknown[]): unknown {
  const call: unknown = Reflect.get(object, method);
  if (typeof call !== "function") throw new Error(`${method}: this thread has no such call`);
  return Reflect.apply(call, object, args);
}

function unpack(argument: Argument): unknown {
  return "mapped" in argument ? valuesAt(argument.mapped) : argument.value;
}

/** The buffer of a typed array that nothing else lies in. */
function wholeBuffer(value: unknown): ArrayBuffer[] {
  if (!ArrayBuffer.isView(value) || !canMove(value.buffer)) return [];
  return value.byteLength === value.buffer.byteLength ? [value.buffer] : [];
}
