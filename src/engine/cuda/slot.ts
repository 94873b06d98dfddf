import { setImmediate } from "node:timers/promises";
import type { Pointer } from "../../system/native/memory.js";
import type { Build, Tensor } from "./build.js";
import type { Device, Event, Graph, HostMemory } from "./driver.js";

/**
 * What one step brings to the device and takes from it. A program has two: while the device works on what came by one,
 * the next step's comes by the other.
 */
export class Slot {
  /** Host memory that the graphs copy to the device, and from it. */
  readonly orders: DataView;
  readonly results: DataView;
  readonly #device: Device;
  readonly #host: HostMemory;
  readonly #done: Event;
  #underWay: Answer<unknown> | undefined;

  /** @param pictures where its pictures lie on the device, for programs that look at pictures */
  constructor(
    build: Build,
    ordersBytes: number,
    resultsBytes: number,
    readonly pictures: Pointer | undefined,
  ) {
    const { device } = build.gpu;
    this.#device = device;
    const { memory, buffer } = device.allocateHost(ordersBytes + resultsBytes);
    build.own(() => memory.close());
    this.#host = memory;
    this.orders = new DataView(buffer, 0, ordersBytes);
    this.results = new DataView(buffer, ordersBytes);
    this.#done = device.createEvent();
    build.own(() => this.#done.close());
  }

  /** Puts a copy of the orders on the stream. */
  bringOrders(to: Pointer): void {
    this.#device.copyIn(to, this.#host.address, this.orders.byteLength);
  }

  /** Puts a copy of a result on the stream. */
  takeResults(build: Build, { bytes, ...from }: Tensor): void {
    this.#device.copyOut(this.#host.address + BigInt(this.orders.byteLength), build.address({ bytes, ...from }), bytes);
  }

  /** Has the device run `graph`; `read` gives its answer from the results. */
  launch<T>(graph: Graph, what: string, read: (results: DataView) => T): Promise<T> {
    graph.launch();
    this.#device.record(this.#done);
    const answer = new Answer(this.#device, this.#done, what, () => read(this.results));
    this.#underWay = answer;
    return answer.arrive();
  }

  /** Waits until nothing uses it any more. */
  settle(): void {
    this.#underWay?.get();
    this.#underWay = undefined;
  }
}

/** What a graph's run gives, once the device is through with it. */
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
