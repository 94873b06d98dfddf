import { sharp } from "#src/images/sharp.js";
import { draw, drawJpeg } from "./draw.js";

/** The same picture in every form that shows all of it. */
export const forms: Readonly<Record<string, () => Promise<Buffer>>> = {
  JPEG: () => drawJpeg(1),
  "progressive JPEG": () => draw(1).jpeg({ progressive: true, quality: 90 }).toBuffer(),
  PNG: () => draw(1).png().toBuffer(),
  "interlaced PNG": () => draw(1).png({ progressive: true }).toBuffer(),
  "16-bit PNG": () => draw(1).toColourspace("rgb16").png().toBuffer(),
  "opaque PNG with alpha": () => draw(1).ensureAlpha().png().toBuffer(),
  "palette PNG": () => draw(1).png({ palette: true, colours: 256, dither: 0 }).toBuffer(),
  WebP: () => draw(1).webp({ quality: 90 }).toBuffer(),
  AVIF: () => draw(1).avif({ quality: 80, effort: 0 }).toBuffer(),
  GIF: () => draw(1).gif({ dither: 0 }).toBuffer(),
  TIFF: () => draw(1).tiff().toBuffer(),
};

/** With fewer colours, or other ones. */
export const otherForms: Readonly<Record<string, () => Promise<Buffer>>> = {
  "CMYK JPEG": () => drawCmyk(),
  "YCCK JPEG": async () => asYcck(await drawCmyk()),
  "grey JPEG": () => draw(2).greyscale().jpeg().toBuffer(),
  "grey PNG with alpha": () => draw(2).greyscale().ensureAlpha().png().toBuffer(),
  "16-bit grey PNG with alpha": () => draw(2).toColourspace("grey16").ensureAlpha().png().toBuffer(),
  "animated GIF": () => drawAnimation(),
};

export const drawCmyk = (): Promise<Buffer> => draw(3).toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer();

/** The same numbers, meaning Y, Cb, Cr, K from here on. */
export function asYcck(cmyk: Buffer): Buffer {
  const ycck = Buffer.from(cmyk);
  ycck[cmyk.indexOf("Adobe") + 11] = 2; // the transform
  return ycck;
}

/** Two frames: drawings 4 and 5. */
export async function drawAnimation(): Promise<Buffer> {
  const frames = await Promise.all([4, 5].map((seed) => draw(seed).png().toBuffer()));
  return sharp(frames, { join: { animated: true } })
    .gif({ dither: 0 })
    .toBuffer();
}
