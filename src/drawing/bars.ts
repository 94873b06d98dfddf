import { sharp } from "../images/sharp.js";
import { html } from "./markup.js";

export interface Bar {
  readonly name: string;
  readonly value: number;
}

const ROW = 24; // pixels
const NAMES = 260; // pixels that names may take
const BARS = 440;
const NUMBERS = 80;
const CHARACTER = 7.2; // pixels that one takes, about
const GAP = 8;

/** Named values as bars from a common line at 0, one below the other, as a PNG: light on dark, as maps are. */
export function drawBars(bars: readonly Bar[]): Promise<Buffer> {
  const low = Math.min(0, ...bars.map(({ value }) => value));
  const high = Math.max(0, ...bars.map(({ value }) => value));
  const scale = BARS / (high - low || 1);
  const zero = NAMES + GAP + NUMBERS - low * scale;
  const [width, height] = [NAMES + 2 * GAP + BARS + 2 * NUMBERS, bars.length * ROW + 2 * GAP];
  const fitting = Math.floor(NAMES / CHARACTER);
  const rows = bars.map(({ name, value }, i) => {
    const top = GAP + i * ROW;
    const length = Math.abs(value) * scale;
    const left = value < 0 ? zero - length : zero;
    const shown = name.length > fitting ? `${name.slice(0, fitting - 1)}…` : name;
    const number = value < 0 ? html`x="${left - GAP}" text-anchor="end"` : html`x="${left + length + GAP}"`;
    return html`<text x="${NAMES}" y="${top + 17}" text-anchor="end">${shown}</text>
<rect x="${left}" y="${top + 4}" width="${length}" height="${ROW - 8}" fill="${value < 0 ? "#3282be" : "#fc8961"}"/>
<text ${number} y="${top + 17}">${value.toFixed(2)}</text>`;
  });
  const style = html`font-family="sans-serif" font-size="14" fill="#e6e8ea"`;
  const picture = html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${style}>
<rect width="${width}" height="${height}" fill="#1b1d21"/>
${rows}
<line x1="${zero}" x2="${zero}" y1="${GAP}" y2="${height - GAP}" stroke="#a3a9b1"/>
</svg>`;
  return sharp(Buffer.from(picture.text)).removeAlpha().png().toBuffer();
}
