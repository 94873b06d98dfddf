import { AlexnetError } from "../../errors.js";
import { type Pointer, writtenPointer } from "./memory.js";

/**
 * Whoever creates a native object destroys it. An object has an owner, which destroys it when it is closed itself; an
 * object closed twice is destroyed once, and one that is closed can't be passed to a native function any more. All are
 * counted, so that a test sees what is left.
 *
 * @example
 * const owner = new Owner();
 * const event = owner.create("event", (out) => calls.cuEventCreate(out, 0), calls.cuEventDestroy_v2);
 * calls.cuEventRecord(event, stream);
 * owner.close(); // from here on, event.address throws
 */

/** A native object as functions take it. The kind keeps one kind from being passed for another. */
export interface Handle<Kind extends string = string> {
  readonly kind: Kind;
  /** @throws AlexnetError "closed" once the object, or the one that it is part of, is closed */
  readonly address: Pointer;
}

export interface Closable {
  close(): void;
}

const counts = new Map<string, number>();

/** How many native objects this thread has open, by kind. Kinds of which there are none are left out. */
export function openObjects(): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].filter(([, count]) => count !== 0));
}

function count(kind: string, change: 1 | -1): void {
  counts.set(kind, (counts.get(kind) ?? 0) + change);
}

/** A native object, from its creation to `close`. Owners make them: see `Owner.create`. */
export class NativeObject<Kind extends string = string> implements Handle<Kind>, Closable {
  readonly #address: Pointer;
  #destroy: ((address: Pointer) => void) | undefined;

  constructor(
    readonly kind: Kind,
    address: Pointer,
    destroy: (address: Pointer) => void,
  ) {
    this.#address = address;
    this.#destroy = destroy;
    count(kind, 1);
  }

  get address(): Pointer {
    if (this.#destroy === undefined) throw new AlexnetError("closed", `this ${this.kind} is closed`);
    return this.#address;
  }

  /** Destroys it; the second time, nothing. */
  close(): void {
    const destroy = this.#destroy;
    if (destroy === undefined) return;
    this.#destroy = undefined;
    destroy(this.#address);
    count(this.kind, -1);
  }
}

/** An object that is part of another and is destroyed with it, such as a descriptor that an operation was asked for. */
export function partOf<Kind extends string>(whole: Handle, kind: Kind, address: Pointer): Handle<Kind> {
  return {
    kind,
    get address() {
      void whole.address; // throws once the whole is closed
      return address;
    },
  };
}

/** What closes native objects together: the newest first, since it may stand on those before. */
export class Owner implements Closable {
  readonly #owned = new Set<Closable>();
  #isClosed = false;

  /** An object whose address `create` writes to its argument. */
  create<Kind extends string>(
    kind: Kind,
    create: (out: BigUint64Array) => void,
    destroy: (address: Pointer) => void,
  ): NativeObject<Kind> {
    return this.adopt(kind, () => writtenPointer(create), destroy);
  }

  /** An object at the address that `create` gives. */
  adopt<Kind extends string>(
    kind: Kind,
    create: () => Pointer,
    destroy: (address: Pointer) => void,
  ): NativeObject<Kind> {
    this.#refuseClosed();
    const object = new NativeObject(kind, create(), (address) => {
      this.#owned.delete(object);
      destroy(address);
    });
    this.#owned.add(object);
    return object;
  }

  /** An owner that can be closed before this one, and is closed with it. */
  scope(): Owner {
    this.#refuseClosed();
    const scope = new Scope(() => this.#owned.delete(scope));
    this.#owned.add(scope);
    return scope;
  }

  /** What `make` gives with a scope of this owner; the scope is closed at once when it throws. */
  scopeFor<T>(make: (scope: Owner) => T): T {
    const scope = this.scope();
    try {
      return make(scope);
    } catch (error) {
      scope.close();
      throw error;
    }
  }

  /** Closes all that it owns; the second time, nothing. @throws what the first native function that failed threw */
  close(): void {
    this.#isClosed = true;
    const errors: unknown[] = [];
    for (const object of [...this.#owned].reverse()) {
      try {
        object.close();
      } catch (error) {
        errors.push(error);
      }
    }
    this.#owned.clear();
    if (errors.length > 0) throw errors[0];
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new AlexnetError("closed", "the owner of native objects is closed");
  }
}

class Scope extends Owner {
  readonly #leave: () => void;

  constructor(leave: () => void) {
    super();
    this.#leave = leave;
  }

  override close(): void {
    this.#leave();
    super.close();
  }
}

/** What `use` gives, with an owner for the native objects that it needs only meanwhile. */
export function withOwner<T>(use: (owner: Owner) => T): T {
  const owner = new Owner();
  try {
    return use(owner);
  } finally {
    owner.close();
  }
}
