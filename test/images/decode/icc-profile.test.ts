import { expect, test } from "vitest";
import { isSrgbProfile } from "#src/images/decode/icc-profile.js";
import { sharp } from "#src/images/sharp.js";

const srgb = {
  rXYZ: [0.43607, 0.22249, 0.01392],
  gXYZ: [0.38515, 0.71687, 0.09708],
  bXYZ: [0.14307, 0.06061, 0.7141],
} as const;
const adobe = {
  rXYZ: [0.60974, 0.31111, 0.01947],
  gXYZ: [0.20528, 0.62567, 0.06087],
  bXYZ: [0.14919, 0.06322, 0.74457],
} as const;

const fixed = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(Math.round(value * 65536));
  return bytes;
};
const tag = (type: string, ...values: readonly Buffer[]) =>
  Buffer.concat([Buffer.from(type, "latin1"), Buffer.alloc(4), ...values]);
const shorts = (...values: readonly number[]) => {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 2 * i);
  return bytes;
};
const count = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const toLinear = (x: number) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
const parametric = tag("para", shorts(3, 0), ...[2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045].map(fixed));
const gamma = (value: number) => tag("curv", count(1), shorts(Math.round(value * 256)));
const table = (length: number, curve: (x: number) => number) =>
  tag("curv", count(length), shorts(...Array.from({ length }, (_, i) => Math.round(65535 * curve(i / (length - 1))))));

function profile(
  primaries: Readonly<Record<string, readonly number[]>>,
  curve: Buffer,
  name: string,
  others: Readonly<Record<string, Buffer>> = {},
  space = "RGB XYZ ",
): Buffer {
  const tags = Object.entries({
    desc: tag("text", Buffer.from(name)),
    ...Object.fromEntries(Object.entries(primaries).map(([key, xyz]) => [key, tag("XYZ ", ...xyz.map(fixed))])),
    rTRC: curve,
    gTRC: curve,
    bTRC: curve,
    ...others,
  });
  const head = Buffer.alloc(132 + 12 * tags.length);
  head.write(space, 16, "latin1");
  head.writeUInt32BE(tags.length, 128);
  let offset = head.length;
  tags.forEach(([key, bytes], i) => {
    head.write(key, 132 + 12 * i, "latin1");
    head.writeUInt32BE(offset, 136 + 12 * i);
    head.writeUInt32BE(bytes.length, 140 + 12 * i);
    offset += bytes.length;
  });
  return Buffer.concat([head, ...tags.map(([, bytes]) => bytes)]);
}

test.each([
  ["a parametric curve", profile(srgb, parametric, "c2")],
  ["a table of 1,024 values", profile(srgb, table(1024, toLinear), "a camera's own name")],
  ["a table of 4,096 values", profile(srgb, table(4096, toLinear), "sRGB IEC61966-2.1")],
])("sRGB's primaries with %s are sRGB, whatever the profile is called", (_, bytes) => {
  expect(isSrgbProfile(bytes)).toBe(true);
});

test.each([
  ["linear light", profile(srgb, gamma(1), "sRGB linear")],
  ["no curve", profile(srgb, tag("curv", count(0)), "scRGB, gamma 1.0 of sRGB primaries")],
  ["a gamma of 1.8", profile(srgb, gamma(1.8), "sRGB primaries")],
  ["a gamma of 2.2", profile(srgb, gamma(2.2), "sRGB-like")],
  ["other primaries", profile(adobe, parametric, "not sRGB: Adobe's primaries")],
  ["primaries in another order", profile({ ...srgb, rXYZ: srgb.gXYZ, gXYZ: srgb.rXYZ }, parametric, "sRGB swapped")],
  ["a table in place of curves", profile(srgb, parametric, "sRGB", { A2B0: tag("mft2") })],
  ["a grey space", profile(srgb, parametric, "sRGB grey", {}, "GRAYXYZ ")],
  ["one curve that differs", profile(srgb, parametric, "sRGB", { bTRC: gamma(1) })],
  ["a curve of an unknown kind", profile(srgb, tag("sf32"), "sRGB")],
])("a profile that speaks of sRGB but has %s is not sRGB", (_, bytes) => {
  expect(isSrgbProfile(bytes)).toBe(false);
});

test("a profile cut off anywhere is not sRGB, and no error", () => {
  const whole = profile(srgb, table(1024, toLinear), "sRGB");
  for (let length = 0; length < whole.length; length += 7) expect(isSrgbProfile(whole.subarray(0, length))).toBe(false);
});

test("the sRGB profile that libvips writes is sRGB; its P3 profile is not", async () => {
  const plain = sharp({ create: { width: 8, height: 8, channels: 3, background: "#406080" } });
  const iccOf = async (name: string) =>
    (await sharp(await plain.clone().withIccProfile(name).png().toBuffer()).metadata()).icc;
  expect(isSrgbProfile((await iccOf("srgb")) ?? Buffer.alloc(0))).toBe(true);
  expect(isSrgbProfile((await iccOf("p3")) ?? Buffer.alloc(0))).toBe(false);
});
