/**
 * Where values that are row-major outside of the engine lie on the device: the value at (i, j, …) lies at
 * places[0][i] + places[1][j] + …; below 0 when the device doesn't hold it.
 */
export interface Layout {
  readonly places: readonly Int32Array[];
  /** Values on the device, places that no value takes included. */
  readonly length: number;
}

const ABSENT = -(2 ** 31); // so far below 0 that no sum gets above it

/** Row-major, as outside. */
export function plain(length: number): Layout {
  return { places: [range(length, 1)], length };
}

/** (batch, channels, height, width) with channels innermost. */
export function channelsLast(batch: number, channels: number, height: number, width: number): Layout {
  const pixels = height * width;
  return {
    places: [
      range(batch, pixels * channels),
      range(channels, 1),
      range(height, width * channels),
      range(width, channels),
    ],
    length: batch * pixels * channels,
  };
}

/** Squares of `block` x `block` values as one with block^2 times the channels; `count` x `count` of them. */
export interface Squares {
  readonly block: number;
  readonly count: number;
  /** Zeros before the first row and column. */
  readonly padding: number;
}

/** (batch, channels, size, size) in squares: (batch, count, count, block, block, channels). */
export function inSquares(batch: number, channels: number, size: number, squares: Squares): Layout {
  const { block, count, padding } = squares;
  const along = (square: number, within: number): Int32Array =>
    Int32Array.from({ length: size }, (_, i) => {
      const at = i + padding;
      return at < count * block ? Math.floor(at / block) * square + (at % block) * within : ABSENT;
    });
  const square = block * block * channels;
  return {
    places: [
      range(batch, count * count * square),
      range(channels, 1),
      along(count * square, block * channels),
      along(square, channels),
    ],
    length: batch * count * count * square,
  };
}

/** Places of one dimension, `stride` apart. */
export function range(length: number, stride: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => i * stride);
}

/** Row-major `values` as the device holds them; 0 where no value lies. */
export function pack({ places, length }: Layout, values: ArrayLike<number>): Float32Array {
  const packed = new Float32Array(length);
  visit(places, (at, first, innermost) => {
    for (let i = 0; i < innermost.length; i++) {
      const place = at + innermost[i];
      if (place >= 0) packed[place] = values[first + i];
    }
  });
  return packed;
}

/** The other way: row-major `values` out of what the device holds; 0 where it holds nothing. */
export function unpack({ places }: Layout, packed: Float32Array, values: Float32Array): void {
  visit(places, (at, first, innermost) => {
    for (let i = 0; i < innermost.length; i++) {
      const place = at + innermost[i];
      values[first + i] = place >= 0 ? packed[place] : 0;
    }
  });
}

/** Values outside of the engine. */
export function valueCount({ places }: Layout): number {
  return places.reduce((product, { length }) => product * length, 1);
}

/** Calls `row` for each run of the last dimension with its place and its first value's index. */
function visit(places: Layout["places"], row: (at: number, first: number, innermost: Int32Array) => void): void {
  const outer = places.slice(0, -1);
  const innermost = places[places.length - 1];
  const rows = outer.reduce((product, { length }) => product * length, 1);
  for (let index = 0; index < rows; index++) {
    let at = 0;
    let rest = index;
    for (let d = outer.length - 1; d >= 0; d--) {
      const { length } = outer[d];
      at += outer[d][rest % length];
      rest = Math.floor(rest / length);
    }
    row(at, index * innermost.length, innermost);
  }
}
