import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, expectTypeOf, it, test } from "vitest";
import { findLibrary, loadLibrary, processLibrary } from "#src/system/native/library.js";
import { addressOf, memoryAt, type Pointer, textAt, writtenPointer } from "#src/system/native/memory.js";
import type { NativeFunction } from "#src/system/native/signatures.js";

describe.skipIf(process.platform === "win32")("functions of a native library", () => {
  const library = () => {
    const own = processLibrary();
    if (own === undefined) throw new Error("not on this system");
    return own;
  };

  it("take and give what their signatures say", () => {
    const { abs, strlen, getenv, memchr } = library().bind({
      abs: ["int", "int"],
      strlen: ["size_t", "str"],
      getenv: ["str", "str"],
      memchr: ["void *", "void *", "int", "size_t"],
    });
    expect(abs(-3)).toBe(3);
    expect(Number(strlen("four"))).toBe(4);
    expect(getenv("NO_SUCH_VARIABLE")).toBe(null);
    const bytes = Uint8Array.from([5, 6, 7, 0]);
    expect(memchr(bytes, 7, 4)).toBe(addressOf(bytes) + 2n);
    expect(memchr(addressOf(bytes), 9, 4)).toBe(null);
    expect([...new Uint8Array(memoryAt(addressOf(bytes), 2))]).toEqual([5, 6]);
    expectTypeOf(abs).toEqualTypeOf<(value: number) => number>();
    expectTypeOf(memchr).returns.toEqualTypeOf<Pointer | null>();
    expectTypeOf<NativeFunction<["size_t", "str"]>>().parameters.toEqualTypeOf<[string]>();
  });

  it("have their status checked where a table says that they give one", () => {
    const statuses: [number, string][] = [];
    const { abs } = library().bindChecked({ abs: ["int"] }, (status, name) => statuses.push([status, name]));
    expect(abs(-2)).toBe(undefined);
    expect(statuses).toEqual([[2, "abs"]]);
    expectTypeOf(abs).returns.toEqualTypeOf<void>();
  });

  it("that it lacks are an error that names the function", () => {
    const bind = () => library().bind({ no_such_function: ["void"] });
    expect(bind).toThrow(expect.objectContaining({ code: "engine" }));
    expect(bind).toThrow("has no function no_such_function");
  });

  it("write what they create to an argument", () => {
    const { posix_memalign, free } = library().bind({
      posix_memalign: ["int", "void *", "size_t", "size_t"],
      free: ["void", "void *"],
    });
    const address = writtenPointer((out) => posix_memalign(out, 64, 64));
    expect(address % 64n).toBe(0n);
    new Uint8Array(memoryAt(address, 64)).set(Buffer.from("text\0"));
    expect(textAt(address)).toBe("text");
    free(address);
    expect(textAt(0n)).toBe("");
  });
});

describe("a library that can't be loaded", () => {
  const candidates = ["/no/such/folder/libone.so", "libno-such-library.so.7"];

  it("is told with each place that was tried, where that came from and how it is had", () => {
    const wanted = { title: "One", candidates, install: "install it", whereLooked: "two places" };
    expect(() => loadLibrary(wanted)).toThrow(expect.objectContaining({ code: "engine" }));
    const pattern =
      /^One could not be loaded; install it\. Looked in two places\. Tried:\n {2}.*libone\.so.*\n {2}.*\.so\.7/;
    expect(() => loadLibrary(wanted)).toThrow(pattern);
  });

  it("is no error where it is only looked for", () => {
    const found = findLibrary(candidates);
    expect("tried" in found && found.tried).toHaveLength(2);
  });
});

test("native functions are called by src/system/native alone", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const loading = files.filter((file) =>
    /^import (?!type ).*"koffi"|require\("koffi"\)/m.test(readFileSync(join("src", file), "utf8")),
  );
  expect(loading).toEqual(["system/native/koffi.ts"]);
});
