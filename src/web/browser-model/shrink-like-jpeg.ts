/**
 * What libjpeg-turbo makes of a picture that it shrinks while decoding, from the pixels of the whole picture, as a browser
 * decodes them: of each block of 8x8 values N x N, the means of 8 / N neighbours, separately in luminance and in both colour
 * differences, which most files hold at half the height and width.
 */

const BLOCK = 8; // values a side that JPEG transforms at once

interface Plane {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

/**
 * @param pixels (height, width, 4); only the first three count
 * @param N 4, 2 or 1
 * @param halved whether the file holds colour differences at half the height and width
 * @returns (ceil(height N / 8), ceil(width N / 8), 3)
 */
export function shrinkLikeJpeg(
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
  N: number,
  halved: boolean,
): Uint8Array {
  const [luminance, blue, red] = planesOf(pixels, width, height);
  const difference = (plane: Plane): Plane => (halved ? shrink(halve(plane), 2 * N) : shrink(plane, N));
  return coloursOf(shrink(luminance, N), difference(blue), difference(red));
}

/** Luminance and the differences of blue and red from it (JFIF). */
function planesOf(pixels: Uint8ClampedArray, width: number, height: number): readonly [Plane, Plane, Plane] {
  const plane = (): Plane => ({ values: new Float32Array(width * height), width, height });
  const planes = [plane(), plane(), plane()] as const;
  const [y, cb, cr] = [planes[0].values, planes[1].values, planes[2].values];
  for (let i = 0, from = 0; i < y.length; i++, from += 4) {
    const [r, g, b] = [pixels[from] ?? 0, pixels[from + 1] ?? 0, pixels[from + 2] ?? 0];
    const light = 0.299 * r + 0.587 * g + 0.114 * b;
    y[i] = light;
    cb[i] = (b - light) / 1.772;
    cr[i] = (r - light) / 1.402;
  }
  return planes;
}

function coloursOf({ values: y, width, height }: Plane, cb: Plane, cr: Plane): Uint8Array {
  const colours = new Uint8ClampedArray(y.length * 3); // rounds and clamps
  for (let row = 0, to = 0, i = 0; row < height; row++) {
    // Planes of halved differences may end a value earlier or later.
    const own = Math.min(row, cb.height - 1) * cb.width;
    for (let column = 0; column < width; column++, i++, to += 3) {
      const place = own + Math.min(column, cb.width - 1);
      const [light, b, r] = [y[i] ?? 0, cb.values[place] ?? 0, cr.values[place] ?? 0];
      colours[to] = light + 1.402 * r;
      colours[to + 1] = light - 0.344136 * b - 0.714136 * r;
      colours[to + 2] = light + 1.772 * b;
    }
  }
  return new Uint8Array(colours.buffer);
}

/** Of each block of 8x8 N x N means; those that reach over an edge repeat it. */
function shrink(plane: Plane, N: number): Plane {
  if (N >= BLOCK) return plane;
  return transpose(narrow(transpose(narrow(plane, BLOCK / N)), BLOCK / N));
}

/** Rows of the means of `count` neighbours. */
function narrow({ values, width, height }: Plane, count: number): Plane {
  const columns = Math.ceil(width / count);
  const result = new Float32Array(columns * height);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let x = 0; x < count; x++) sum += values[row * width + Math.min(column * count + x, width - 1)] ?? 0;
      result[row * columns + column] = sum / count;
    }
  return { values: result, width: columns, height };
}

/** What a plane was before a decoder doubled it by libjpeg's triangle filter: 1/4 of a neighbour, 3/4 of itself. */
function halve(plane: Plane): Plane {
  return transpose(halveRows(transpose(halveRows(plane))));
}

/**
 * The mean of the two values that one became is 1/8, 3/4, 1/8 of it and its neighbours, an end being its own neighbour:
 * a tridiagonal system for each row (Thomas's algorithm).
 */
function halveRows({ values, width, height }: Plane): Plane {
  const columns = Math.ceil(width / 2);
  const result = new Float32Array(columns * height);
  const above = new Float64Array(columns); // the eliminated system's upper diagonal
  for (let row = 0; row < height; row++) {
    let before = 0;
    for (let i = 0; i < columns; i++) {
      const left = values[row * width + 2 * i] ?? 0;
      const mean = 0.5 * (left + (values[row * width + Math.min(2 * i + 1, width - 1)] ?? left));
      const isEnd = Number(i === 0) + Number(i === columns - 1);
      const [lower, diagonal] = [i === 0 ? 0 : 0.125, 0.75 + 0.125 * isEnd];
      const pivot = diagonal - lower * (above[i - 1] ?? 0);
      above[i] = 0.125 / pivot;
      before = (mean - lower * before) / pivot;
      result[row * columns + i] = before;
    }
    for (let i = columns - 2; i >= 0; i--) {
      const place = row * columns + i;
      result[place] = (result[place] ?? 0) - (above[i] ?? 0) * (result[place + 1] ?? 0);
    }
  }
  return { values: result, width: columns, height };
}

function transpose({ values, width, height }: Plane): Plane {
  const result = new Float32Array(values.length);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) result[column * height + row] = values[row * width + column] ?? 0;
  return { values: result, width: height, height: width };
}
