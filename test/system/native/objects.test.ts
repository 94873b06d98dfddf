import { describe, expect, it } from "vitest";
import { Owner, openObjects, partOf, withOwner } from "#src/system/native/objects.js";

const closed = expect.objectContaining({ code: "closed" });

/** An owner whose objects have the addresses 1n, 2n, …, and what was destroyed, in order. */
function recorded() {
  const owner = new Owner();
  const destroyed: bigint[] = [];
  let last = 0n;
  const create = (from = owner, fails = false) =>
    from.adopt(
      "thing",
      () => ++last,
      (address) => {
        if (fails) throw new Error(`${address} can't be destroyed`);
        destroyed.push(address);
      },
    );
  return { owner, destroyed, create };
}

describe("native objects", () => {
  it("are counted by kind from their creation until they are closed", () => {
    const { owner, create } = recorded();
    const other = owner.create(
      "other",
      (out) => out.fill(7n),
      () => {},
    );
    expect(other.address).toBe(7n);
    create();
    create();
    expect(openObjects()).toEqual({ thing: 2, other: 1 });
    other.close();
    expect(openObjects()).toEqual({ thing: 2 });
    owner.close();
    expect(openObjects()).toEqual({});
  });

  it("are not counted when their creation fails", () => {
    const owner = new Owner();
    const fail = () =>
      owner.create(
        "thing",
        () => {
          throw new Error("no memory");
        },
        () => {},
      );
    expect(fail).toThrow("no memory");
    expect(openObjects()).toEqual({});
  });

  it("are destroyed once, however often and by whomever they are closed", () => {
    const { owner, destroyed, create } = recorded();
    const thing = create();
    thing.close();
    thing.close();
    owner.close();
    owner.close();
    expect(destroyed).toEqual([1n]);
  });

  it("give no address once they are closed, nor do their parts", () => {
    const { create } = recorded();
    const thing = create();
    const part = partOf(thing, "part", 9n);
    expect([thing.address, part.address]).toEqual([1n, 9n]);
    thing.close();
    expect(() => thing.address).toThrow(closed);
    expect(() => part.address).toThrow("this thing is closed");
  });

  it("are destroyed by their owner, the newest first, those of its scopes among them", () => {
    const { owner, destroyed, create } = recorded();
    create();
    const scope = owner.scope();
    create(scope);
    create(scope);
    create();
    owner.close();
    expect(destroyed).toEqual([4n, 3n, 2n, 1n]);
    expect(() => create()).toThrow(closed);
    expect(() => scope.scope()).toThrow(closed);
  });

  it("of a scope that is closed are gone from its owner", () => {
    const { owner, destroyed, create } = recorded();
    const scope = owner.scope();
    create(scope);
    scope.close();
    expect(destroyed).toEqual([1n]);
    owner.close();
    expect(destroyed).toEqual([1n]);
  });

  it("are destroyed all, though one can't be, and the first failure is told", () => {
    const { owner, destroyed, create } = recorded();
    create();
    create(owner, true);
    create();
    expect(() => owner.close()).toThrow("2 can't be destroyed");
    expect(destroyed).toEqual([3n, 1n]);
    expect(openObjects()).toEqual({ thing: 1 }); // what could not be destroyed is still there
  });

  it("of a piece of work are destroyed when it ends, also by an error", () => {
    const destroyed: bigint[] = [];
    const work = () =>
      withOwner((owner) => {
        owner.adopt(
          "piece",
          () => 1n,
          (address) => destroyed.push(address),
        );
        throw new Error("it failed");
      });
    expect(work).toThrow("it failed");
    expect(destroyed).toEqual([1n]);
  });
});
