import type { Batch } from "../../network/picture.js";
import { addressOf, type Pointer } from "../../system/native/memory.js";
import { type Device, type DeviceMemory, type Event, isOutOfMemory, type PinnedMemory } from "./native/driver.js";

/** Buffers of the caller that stay pinned: a loader's ring has fewer slots. */
const MOST_PINNED = 32;

/**
 * Brings a batch's pictures to the device on a stream of their own. Shared memory, such as a loader's ring, is pinned
 * where it lies, once, and read by the device itself; other memory is read through the driver's own buffers.
 */
export class PictureUpload {
  readonly #device: Device;
  /** By address; the buffers are kept alive, so that no other takes their place. */
  readonly #pinned = new Map<Pointer, { readonly pin: PinnedMemory; readonly buffer: SharedArrayBuffer }>();
  readonly #arrived: Event;

  /** @param pictureBytes of one picture */
  constructor(
    device: Device,
    readonly pictureBytes: number,
  ) {
    this.#device = device;
    this.#arrived = device.createEvent();
  }

  /**
   * Copies those pictures that a view shows to `to`, close together, beside what the program's stream does meanwhile;
   * what it does next waits for them. The caller leaves them unchanged until that is done.
   * @returns by sample, the index of its picture there
   */
  bring({ pictures, views }: Batch, to: Pointer): readonly number[] {
    const { copyStream } = this.#device;
    const { pictureBytes } = this;
    const shown = [...new Set(views.map(({ picture }) => picture))].sort((a, b) => a - b);
    const places = new Map(shown.map((picture, place) => [picture, place]));
    const from = this.#pin(pictures);
    for (let start = 0; start < shown.length; ) {
      let end = start + 1;
      while (end < shown.length && shown[end] === shown[end - 1] + 1) end++;
      const source = from + BigInt(shown[start] * pictureBytes);
      this.#device.copyIn(to + BigInt(start * pictureBytes), source, (end - start) * pictureBytes, copyStream);
      start = end;
    }
    this.#device.record(this.#arrived, copyStream);
    this.#device.waitFor(this.#arrived);
    return views.map(({ picture }) => places.get(picture) ?? 0);
  }

  /** Copies all pictures to `to`, and waits until they are there. */
  copy(pictures: Uint8Array, to: Pointer): void {
    const { copyStream } = this.#device;
    this.#device.copyIn(to, this.#pin(pictures), pictures.length, copyStream);
    this.#device.wait(copyStream);
  }

  close(): void {
    this.#device.wait(this.#device.copyStream);
    for (const { pin } of this.#pinned.values()) pin.close();
    this.#pinned.clear();
    this.#arrived.close();
  }

  /** The pictures' address, after pinning the memory that they share. */
  #pin(pictures: Uint8Array): Pointer {
    const address = addressOf(pictures);
    if (!(pictures.buffer instanceof SharedArrayBuffer)) return address;
    const start = address - BigInt(pictures.byteOffset);
    if (this.#pinned.has(start)) return address;
    const [oldest] = this.#pinned;
    if (this.#pinned.size >= MOST_PINNED && oldest !== undefined) {
      const [address, { pin }] = oldest;
      pin.close();
      this.#pinned.delete(address);
    }
    try {
      const { buffer } = pictures;
      this.#pinned.set(start, { pin: this.#device.pin(start, buffer.byteLength), buffer });
    } catch {
      // Not allowed here: the driver copies it through memory of its own.
    }
    return address;
  }
}

/** Pictures that stay on the device. */
export class HeldPictures {
  readonly #device: Device;
  readonly #upload: PictureUpload;
  #memory: DeviceMemory | undefined;
  #count = 0;

  constructor(device: Device, upload: PictureUpload) {
    this.#device = device;
    this.#upload = upload;
  }

  /** Where they lie, (pictures, size, size, 3). */
  get address(): Pointer {
    if (this.#memory === undefined) throw new Error("no pictures are held"); // checked at the engine's border
    return this.#memory.address;
  }

  /**
   * Makes room for `count` pictures, in place of those before.
   * @param spared bytes of device memory that stay free
   * @returns for how many there is room; fewer than `count`, and nothing is allocated
   */
  reserve(count: number, spared: number): number {
    this.close();
    const room = Math.max(0, Math.floor((this.#device.freeBytes - spared) / this.#upload.pictureBytes));
    if (room < count) return room;
    try {
      this.#memory = this.#device.allocate(count * this.#upload.pictureBytes);
      return room;
    } catch (error) {
      if (isOutOfMemory(error)) return 0; // free, but not in one piece
      throw error;
    }
  }

  add(pictures: Uint8Array): void {
    this.#upload.copy(pictures, this.address + BigInt(this.#count * this.#upload.pictureBytes));
    this.#count += pictures.length / this.#upload.pictureBytes;
  }

  close(): void {
    this.#memory?.close();
    this.#memory = undefined;
    this.#count = 0;
  }
}
