/**
 * Whether an ICC profile means sRGB: by its primaries and its curve, not by the words in it. Profiles name what they
 * are derived from ("linear sRGB", "not sRGB: …"), and sRGB profiles of cameras need not say so.
 */

const HEADER = 128;
const TAG = 12; // bytes of a row in the table of tags: signature, offset, length

/** sRGB's primaries adapted to D50, as (X, Y, Z) in profiles (IEC 61966-2-1; ICC's own profile). */
const primaries = {
  rXYZ: [0.43607, 0.22249, 0.01392],
  gXYZ: [0.38515, 0.71687, 0.09708],
  bXYZ: [0.14307, 0.06061, 0.7141],
} as const;
const curves = ["rTRC", "gTRC", "bTRC"] as const;

const PRIMARY_TOLERANCE = 0.003; // profiles round and adapt in several ways; Display P3 and Adobe RGB are 0.07 off
const CURVE_TOLERANCE = 0.004; // of linear light; a pure gamma of 2.2 is 0.009 off, a linear curve 0.28
const SAMPLES = 33;

export function isSrgbProfile(profile: Buffer): boolean {
  try {
    if (profile.toString("latin1", 16, 24) !== "RGB XYZ ") return false;
    const tags = readTags(profile);
    if ([...tags.keys()].some((name) => /^[AB]2[AB]\d$|^D2B\d$/.test(name))) return false; // tables come before curves
    return (
      Object.entries(primaries).every(([name, expected]) => isPrimary(tags.get(name), expected)) &&
      curves.every((name) => isSrgbCurve(tags.get(name)))
    );
  } catch (error) {
    if (error instanceof RangeError) return false; // it ends before what it names
    throw error;
  }
}

function readTags(profile: Buffer): ReadonlyMap<string, Buffer> {
  const count = profile.readUInt32BE(HEADER);
  const tags = new Map<string, Buffer>();
  for (let i = 0; i < Math.min(count, 100); i++) {
    const row = HEADER + 4 + i * TAG;
    const offset = profile.readUInt32BE(row + 4);
    tags.set(
      profile.toString("latin1", row, row + 4),
      profile.subarray(offset, offset + profile.readUInt32BE(row + 8)),
    );
  }
  return tags;
}

function isPrimary(tag: Buffer | undefined, expected: readonly number[]): boolean {
  return (
    tag !== undefined && expected.every((value, i) => Math.abs(readFixed(tag, 8 + 4 * i) - value) <= PRIMARY_TOLERANCE)
  );
}

function isSrgbCurve(tag: Buffer | undefined): boolean {
  const curve = tag === undefined ? undefined : readCurve(tag);
  if (curve === undefined) return false;
  for (let i = 0; i < SAMPLES; i++) {
    const x = i / (SAMPLES - 1);
    if (!(Math.abs(curve(x) - srgbToLinear(x)) <= CURVE_TOLERANCE)) return false;
  }
  return true;
}

function srgbToLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** A tone curve, 0 to 1, of the types "curv" and "para" (ICC.1:2022, 10.6 and 10.18); undefined for others. */
function readCurve(tag: Buffer): ((x: number) => number) | undefined {
  const type = tag.toString("latin1", 0, 4);
  if (type === "curv") {
    const count = tag.readUInt32BE(8);
    if (count === 0) return (x) => x;
    if (count === 1) return (x) => x ** (tag.readUInt16BE(12) / 256);
    const at = (i: number): number => tag.readUInt16BE(12 + 2 * Math.min(count - 1, i)) / 65535;
    return (x) => {
      const place = x * (count - 1);
      const below = Math.floor(place);
      return at(below) + (place - below) * (at(below + 1) - at(below));
    };
  }
  if (type !== "para") return undefined;
  const kind = tag.readUInt16BE(8);
  const parameter = (i: number): number => readFixed(tag, 12 + 4 * i);
  const gamma = parameter(0);
  if (kind === 0) return (x) => x ** gamma;
  if (kind !== 3 && kind !== 4) return undefined;
  const [a, b, c, d] = [parameter(1), parameter(2), parameter(3), parameter(4)];
  const [e, f] = kind === 4 ? [parameter(5), parameter(6)] : [0, 0];
  return (x) => (x >= d ? (a * x + b) ** gamma + e : c * x + f);
}

/** s15Fixed16 */
function readFixed(tag: Buffer, at: number): number {
  return tag.readInt32BE(at) / 65536;
}
