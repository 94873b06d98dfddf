import { dropoutKeys } from "../../program/dropout-mask.js";
import { bitsAt, bytesAt, type Frame, floatsAt, type Place } from "./memory.js";
import { openSimd, type Simd } from "./simd.js";

/** What a dropout layer's step depends on, in its frame. */
export const Dropping = { active: 0, seed: 1, firstSample: 2, length: 3 } as const;

interface DropoutConstants {
  readonly rate: number;
  /** The layer's index in its network. */
  readonly layer: number;
  /** Numbers a sample. */
  readonly units: number;
  readonly from: Place;
  readonly to: Place;
  /** A byte a unit: 0 where it was dropped. */
  readonly mask: Place;
  readonly frame: Frame;
}

/** One sample's units, dropped or scaled; as they are where nothing is to be dropped. */
export function dropout({ rate, layer, units, from, to, mask, frame }: DropoutConstants): (sample: number) => void {
  const row = new Row(units);
  const [source, target, kept] = [numbersAt(from), numbersAt(to), bytesAt(mask)];
  return (sample) => {
    const [start, end] = [sample * units, (sample + 1) * units];
    if (frame[Dropping.active] === 0) {
      target.set(source.subarray(start, end), start);
      return;
    }
    row.bring(source.subarray(start, end));
    row.drop(dropoutKeys(rate, frame[Dropping.seed], layer, frame[Dropping.firstSample] + sample));
    row.give(target, start);
    kept.set(row.mask, start);
  };
}

interface DropoutGradientConstants extends Pick<DropoutConstants, "rate" | "units" | "mask" | "frame"> {
  /** Overwritten. */
  readonly gradient: Place;
}

/** One sample's gradient, in place. */
export function dropoutGradient(constants: DropoutGradientConstants): (sample: number) => void {
  const { rate, units, mask, frame } = constants;
  const row = new Row(units);
  const [gradient, kept] = [numbersAt(constants.gradient), bytesAt(mask)];
  const factor = 1 / (1 - rate);
  return (sample) => {
    if (frame[Dropping.active] === 0) return;
    const [start, end] = [sample * units, (sample + 1) * units];
    row.bring(gradient.subarray(start, end));
    row.mask.set(kept.subarray(start, end));
    row.scale(factor);
    row.give(gradient, start);
  };
}

type Numbers = Float32Array | Uint16Array;

/** float32, or the bits of bfloat16. */
function numbersAt(place: Place): Numbers {
  return place.type === "float32" ? floatsAt(place) : bitsAt(place);
}

/** Up to so many values are read and written over the end. */
const MORE = 8;

/** One sample's numbers in the memory of the SIMD functions: as float32, as bfloat16 beside it, and its mask. */
class Row {
  readonly mask: Uint8Array;
  readonly #simd: Simd;
  readonly #units: number;
  readonly #floats: Float32Array;
  readonly #bits: Uint16Array;

  constructor(units: number) {
    const all = units + MORE;
    this.#simd = openSimd((4 + 2 + 1) * all);
    this.#units = units;
    const { buffer } = this.#simd.memory;
    this.#floats = new Float32Array(buffer, 0, units);
    this.#bits = new Uint16Array(buffer, 4 * all, units);
    this.mask = new Uint8Array(buffer, (4 + 2) * all, units);
  }

  bring(numbers: Numbers): void {
    if (numbers instanceof Float32Array) {
      this.#floats.set(numbers);
      return;
    }
    this.#bits.set(numbers);
    this.#simd.widen(this.#bits.byteOffset, 0, this.#units);
  }

  drop({ start, stride, dropped, kept }: ReturnType<typeof dropoutKeys>): void {
    this.#simd.drop(0, this.mask.byteOffset, this.#units, start, stride, dropped, kept);
  }

  scale(factor: number): void {
    this.#simd.scale(0, this.mask.byteOffset, this.#units, factor);
  }

  give(target: Numbers, at: number): void {
    if (target instanceof Float32Array) {
      target.set(this.#floats, at);
      return;
    }
    this.#simd.round(0, this.#bits.byteOffset, this.#units);
    target.set(this.#bits, at);
  }
}
