import { AlexnetError } from "../../errors.js";

/**
 * Python's pickles, of which only data is read: numbers, strings, lists, tuples, dicts, sets, and what the caller's
 * table of globals allows. A pickle is a program for a small stack machine; here it can call nothing but that table: an
 * object of any other class or function becomes a `Placeholder`, which knows its name and does nothing.
 *
 * Lists and tuples become arrays, dicts Maps, sets Sets, bytes Uint8Arrays; integers beyond 2^53 bigints.
 */

/** A Python class or function that a pickle may name. */
export class Global {
  constructor(
    /** "torch.FloatStorage" */
    readonly name: string,
    /** What calling it gives; without, it is only named. */
    readonly call?: (args: readonly unknown[]) => unknown,
  ) {}
}

/** Stands for a class, function or object that is none of the caller's globals. Nothing was called to make it. */
export class Placeholder {
  constructor(
    /** "argparse.Namespace" */
    readonly name: string,
  ) {}
}

export interface PickleOptions {
  /** The globals there are, by their name. */
  readonly globals: ReadonlyMap<string, Global>;
  /** What a persistent id stands for; without, there may be none. */
  readonly persistent?: (id: unknown) => unknown;
}

/** @throws AlexnetError "damaged-file" or "unsupported" saying what is wrong; messages start with `where`. */
export function unpickle(
  bytes: Uint8Array,
  options: PickleOptions,
  where: string,
  start = 0,
): { readonly value: unknown; readonly end: number } {
  const machine = new Machine(bytes, options, where, start);
  return { value: machine.run(), end: machine.position };
}

const MARK = Symbol("mark");
const LONGEST_INTEGER = 64; // bytes

class Machine {
  position: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: PickleOptions;
  readonly #where: string;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(bytes: Uint8Array, options: PickleOptions, where: string, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#options = options;
    this.#where = where;
    this.position = start;
  }

  run(): unknown {
    for (;;) {
      const code = this.uint8();
      if (code === STOP) return this.pop();
      const operation = operations.get(code);
      if (operation === undefined) return this.fail(`operation 0x${code.toString(16)} is not read`);
      operation(this);
    }
  }

  fail(what: string, code: "damaged-file" | "unsupported" = "damaged-file"): never {
    throw new AlexnetError(code, `${this.#where}: ${what}`);
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  take(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  text(count: number): string {
    const bytes = this.take(count);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return this.fail("a string is not UTF-8");
    }
  }

  /** Of Python 2, where strings are bytes: those that are no UTF-8 are Latin-1, as Python 3 is told to read them. */
  byteText(count: number): string {
    const bytes = this.take(count);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return Buffer.from(bytes).toString("latin1");
    }
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position);
    if (end < 0) this.fail("ended within a line");
    const line = this.text(end - this.position);
    this.position++;
    return line;
  }

  /** Two's complement, little endian. */
  integer(count: number): number | bigint {
    if (count > LONGEST_INTEGER) this.fail(`an integer of ${count} bytes is not read`);
    const bytes = this.take(count);
    let value = 0n;
    for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
    value = BigInt.asIntN(8 * count, value);
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) this.fail("takes from an empty stack");
    return this.#stack.pop();
  }

  peek(): unknown {
    if (this.#stack.length === 0) this.fail("looks at an empty stack");
    return this.#stack.at(-1);
  }

  /** The values down to the last mark, which goes as well. */
  popMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) this.fail("has no mark where there must be one");
    const values = this.#stack.splice(mark + 1);
    this.#stack.pop();
    return values;
  }

  popTuple(count: number): void {
    const values = Array.from({ length: count }, () => this.pop()).reverse();
    this.push(values);
  }

  memoise(index: number): void {
    this.#memo.set(index, this.peek());
  }

  memoiseNext(): void {
    this.memoise(this.#memo.size);
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) this.fail(`recalls value ${index}, which it never kept`);
    this.push(this.#memo.get(index));
  }

  setItems(values: readonly unknown[]): void {
    const dict = this.peek();
    if (dict instanceof Placeholder) return;
    if (!(dict instanceof Map) || values.length % 2 !== 0) this.fail("sets items of what is no dict");
    for (let i = 0; i < values.length; i += 2) dict.set(values[i], values[i + 1]);
  }

  append(values: readonly unknown[]): void {
    const list = this.peek();
    if (list instanceof Placeholder) return;
    if (!Array.isArray(list)) this.fail("appends to what is no list");
    for (const value of values) list.push(value);
  }

  addItems(values: readonly unknown[]): void {
    const set = this.peek();
    if (set instanceof Placeholder) return;
    if (!(set instanceof Set)) this.fail("adds to what is no set");
    for (const value of values) set.add(value);
  }

  dict(values: readonly unknown[]): void {
    this.push(new Map());
    this.setItems(values);
  }

  global(module: unknown, member: unknown): void {
    if (typeof module !== "string" || typeof member !== "string") this.fail("names a global by what is no string");
    const name = `${module}.${member}`;
    this.push(this.#options.globals.get(name) ?? new Placeholder(name));
  }

  /** An old form of a class and its arguments, which stand behind a mark. */
  inst(): void {
    this.global(this.line(), this.line());
    const callee = this.pop();
    this.make(callee, this.popMark());
  }

  /** The class is the first value behind the mark. */
  object([callee, ...args]: readonly unknown[]): void {
    this.make(callee, args);
  }

  newObject(): void {
    this.pop(); // keyword arguments: nothing that is called here has any
    this.reduce();
  }

  stackGlobal(): void {
    const member = this.pop();
    this.global(this.pop(), member);
  }

  reduce(): void {
    const args = this.pop();
    this.make(this.pop(), args);
  }

  /** What calling a class or function would give. */
  make(callee: unknown, args: unknown): void {
    if (callee instanceof Placeholder) {
      this.push(new Placeholder(callee.name));
      return;
    }
    if (!(callee instanceof Global) || callee.call === undefined || !Array.isArray(args))
      this.fail(`calls ${callee instanceof Global ? callee.name : "what is no function"}`);
    this.push(this.#calling(callee.call, args));
  }

  /** Attributes of an OrderedDict are left aside, and so are a placeholder's; nothing else here has any. */
  build(): void {
    this.pop();
    const object = this.peek();
    if (!(object instanceof Map || object instanceof Placeholder)) this.fail("sets attributes of what is no dict");
  }

  persistent(): void {
    const id = this.pop();
    const { persistent } = this.#options;
    if (persistent === undefined) this.fail("has a persistent id where there may be none");
    this.push(this.#calling(persistent, id));
  }

  #calling<T>(call: (argument: T) => unknown, argument: T): unknown {
    try {
      return call(argument);
    } catch (error) {
      if (error instanceof AlexnetError) this.fail(error.message);
      throw error;
    }
  }

  #advance(count: number): number {
    const start = this.position;
    if (count > this.#bytes.length - start)
      this.fail(`ended at byte ${this.#bytes.length}, ${count} bytes after ${start} are missing`);
    this.position = start + count;
    return start;
  }
}

const STOP = 0x2e;

/** By the codes of Python's pickletools; those missing are for other objects than data. */
const operations: ReadonlyMap<number, (m: Machine) => void> = new Map<number, (m: Machine) => void>([
  [0x80, (m) => void (m.uint8() > 5 && m.fail("its protocol is newer than 5"))], // PROTO
  [0x95, (m) => void m.uint64()], // FRAME: a hint for buffering
  [0x28, (m) => m.push(MARK)], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popMark()], // POP_MARK
  [0x32, (m) => m.push(m.peek())], // DUP
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.int32())], // BININT
  [0x4b, (m) => m.push(m.uint8())], // BININT1
  [0x4d, (m) => m.push(m.uint16())], // BININT2
  [0x8a, (m) => m.push(m.integer(m.uint8()))], // LONG1
  [0x8b, (m) => m.push(m.integer(m.uint32()))], // LONG4
  [0x47, (m) => m.push(m.float64())], // BINFLOAT
  [0x58, (m) => m.push(m.text(m.uint32()))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.uint8()))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.text(m.uint64()))], // BINUNICODE8
  [0x54, (m) => m.push(m.byteText(m.uint32()))], // BINSTRING, of Python 2
  [0x55, (m) => m.push(m.byteText(m.uint8()))], // SHORT_BINSTRING, of Python 2
  [0x42, (m) => m.push(m.take(m.uint32()))], // BINBYTES
  [0x43, (m) => m.push(m.take(m.uint8()))], // SHORT_BINBYTES
  [0x8e, (m) => m.push(m.take(m.uint64()))], // BINBYTES8
  [0x96, (m) => m.push(m.take(m.uint64()))], // BYTEARRAY8
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x61, (m) => m.append([m.pop()])], // APPEND
  [0x65, (m) => m.append(m.popMark())], // APPENDS
  [0x6c, (m) => m.push(m.popMark())], // LIST
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x74, (m) => m.push(m.popMark())], // TUPLE
  [0x85, (m) => m.popTuple(1)], // TUPLE1
  [0x86, (m) => m.popTuple(2)], // TUPLE2
  [0x87, (m) => m.popTuple(3)], // TUPLE3
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x64, (m) => m.dict(m.popMark())], // DICT
  [0x73, (m) => m.setItems([m.pop(), m.pop()].reverse())], // SETITEM
  [0x75, (m) => m.setItems(m.popMark())], // SETITEMS
  [0x8f, (m) => m.push(new Set())], // EMPTY_SET
  [0x90, (m) => m.addItems(m.popMark())], // ADDITEMS
  [0x91, (m) => m.push(new Set(m.popMark()))], // FROZENSET
  [0x68, (m) => m.recall(m.uint8())], // BINGET
  [0x6a, (m) => m.recall(m.uint32())], // LONG_BINGET
  [0x71, (m) => m.memoise(m.uint8())], // BINPUT
  [0x72, (m) => m.memoise(m.uint32())], // LONG_BINPUT
  [0x94, (m) => m.memoiseNext()], // MEMOIZE
  [0x63, (m) => m.global(m.line(), m.line())], // GLOBAL
  [0x93, (m) => m.stackGlobal()], // STACK_GLOBAL
  [0x69, (m) => m.inst()], // INST
  [0x6f, (m) => m.object(m.popMark())], // OBJ
  [0x52, (m) => m.reduce()], // REDUCE
  [0x81, (m) => m.reduce()], // NEWOBJ: a class and its arguments
  [0x92, (m) => m.newObject()], // NEWOBJ_EX: with keyword arguments as well
  [0x62, (m) => m.build()], // BUILD
  [0x51, (m) => m.persistent()], // BINPERSID
]);
