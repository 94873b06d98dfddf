import { setImmediate } from "node:timers/promises";
import type { Pointer } from "../../system/native/memory.js";
import type { Build } from "./build.js";
import type { Device, Event, HostMemory } from "./native/driver.js";

/**
 * Host memory by which one batch's step inputs come to the device and its results come back. A program has two: while
 * the device works on what came by one, the next step's comes by the other.
 */
export class Slot {
  readonly inputs: DataView;
  readonly results: DataView;
  readonly #device: Device;
  readonly #host: HostMemory;
  readonly #work: Work;

  /** @param pictures where its pictures lie on the device, for programs that look at pictures */
  constructor(
    build: Build,
    inputBytes: number,
    resultBytes: number,
    readonly pictures: Pointer | undefined,
  ) {
    const { device } = build.gpu;
    this.#device = device;
    const { memory, buffer } = device.allocateHost(inputBytes + resultBytes);
    build.own(() => memory.close());
    this.#host = memory;
    this.inputs = new DataView(buffer, 0, inputBytes);
    this.results = new DataView(buffer, inputBytes);
    this.#work = new Work(build);
  }

  /** Puts a copy of the step inputs on the stream. */
  bringInputs(to: Pointer): void {
    this.#device.copyIn(to, this.#host.address, this.inputs.byteLength);
  }

  /** Puts a copy of a result on the stream. */
  takeResults(from: Pointer, bytes: number): void {
    this.#device.copyOut(this.#host.address + BigInt(this.inputs.byteLength), from, bytes);
  }

  /** Has the device do what `put` puts on the stream; `read` gives its answer from the results. */
  launch<T>(what: string, put: () => void, read: (results: DataView) => T): Promise<T> {
    return this.#work.launch(what, put, () => read(this.results));
  }

  /** Waits until nothing uses it any more. */
  settle(): void {
    this.#work.settle();
  }
}

/** Work that is put on the stream again and again, and waited for. */
export class Work {
  readonly #device: Device;
  readonly #done: Event;
  #underWay: Answer<unknown> | undefined;

  constructor(build: Build) {
    const { device } = build.gpu;
    this.#device = device;
    this.#done = device.createEvent();
    build.own(() => this.#done.close());
  }

  /** Has the device do what `put` puts on the stream; `read` gives the answer once that is done. */
  launch<T>(what: string, put: () => void, read: () => T): Promise<T> {
    this.settle();
    put();
    this.#device.record(this.#done);
    const answer = new Answer(this.#device, this.#done, what, read);
    this.#underWay = answer;
    return answer.arrive();
  }

  /** Waits until it is done. */
  settle(): void {
    this.#underWay?.get();
    this.#underWay = undefined;
  }
}

/** What the device's work gives, once it is through with it. */
class Answer<T> {
  #value: { readonly of: T } | undefined;

  constructor(
    readonly device: Device,
    readonly done: Event,
    readonly what: string,
    readonly read: () => T,
  ) {}

  /** Waits for the device. */
  get(): T {
    if (this.#value === undefined) {
      this.device.waitUntil(this.done, this.what);
      this.#value = { of: this.read() };
    }
    return this.#value.of;
  }

  /** Looks again and again, so that the thread can take its next call meanwhile. */
  async arrive(): Promise<T> {
    while (this.#value === undefined && !this.device.hasHappened(this.done)) await setImmediate();
    return this.get();
  }
}
