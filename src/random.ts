/**
 * Random numbers without state: every draw is a pure function of its keys, such as
 * `uniform(seed, Purpose.crop, epoch, sample)`. So results depend on no thread, no order and no resume.
 */

/** First key after the seed: keeps draws for different ends independent. */
export const Purpose = {
  initialisation: 1,
  shuffle: 2,
  crop: 3,
  mirror: 4,
  colour: 5,
  dropout: 6,
  split: 7,
  demo: 8,
  gradientCheck: 9,
  balance: 10,
  bootstrap: 11,
} as const;

/** Bijective mixing of 32 bits (the finaliser of MurmurHash3). */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A uniform 32-bit integer, 0 to 2^32 - 1, from any number of integer keys. Keys above 2^32 count in full. */
export function bits(...keys: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const key of keys) {
    h = mix((Math.imul(h, 5) + 0xe6546b64) ^ (key | 0));
    const high = Math.floor(key / 0x1_0000_0000) | 0;
    if (high !== 0 && high !== -1) h = mix(h ^ high);
  }
  return mix(h);
}

/** Uniform in [0, 1). */
export function uniform(...keys: readonly number[]): number {
  return bits(...keys) / 0x1_0000_0000;
}

/** A uniform integer in [0, bound), bound at most 2^32. */
export function below(bound: number, ...keys: readonly number[]): number {
  return Math.floor(uniform(...keys) * bound);
}

/** Standard normal (Box-Muller on two independent draws). */
export function normal(...keys: readonly number[]): number {
  const radius = Math.sqrt(-2 * Math.log((bits(...keys, 0) + 1) / 0x1_0000_0000));
  return radius * Math.cos((2 * Math.PI * bits(...keys, 1)) / 0x1_0000_0000);
}

/** Fills `values` with normal draws of mean 0: quick for millions (both halves of each Box-Muller pair are used). */
export function normals(values: Float32Array, deviation: number, ...keys: readonly number[]): void {
  const start = bits(...keys, 0);
  const stride = bits(...keys, 1) | 1; // odd: visits every 32-bit number once
  const draw = (i: number): number => mix((start + Math.imul(i, stride)) | 0);
  for (let i = 0; i < values.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log((draw(i) + 1) / 0x1_0000_0000));
    const angle = (2 * Math.PI * draw(i + 1)) / 0x1_0000_0000;
    values[i] = radius * Math.cos(angle);
    if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
  }
}

/** A permutation of 0 .. count - 1 (Fisher-Yates). */
export function permutation(count: number, ...keys: readonly number[]): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const base = bits(...keys);
  for (let i = count - 1; i > 0; i--) {
    const j = below(i + 1, base, i);
    const swap = order[i] ?? i;
    order[i] = order[j] ?? j;
    order[j] = swap;
  }
  return order;
}
