import { heatColour } from "../../drawing/colours.js";
import { Html } from "../../drawing/markup.js";

const gradient = (from: number, to: number): string => {
  const stops = Array.from({ length: 9 }, (_, i) => `rgb(${heatColour(from + ((to - from) * i) / 8).join(" ")})`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
};

interface Scheme {
  readonly page: string;
  readonly text: string;
  readonly soft: string;
  readonly line: string;
  readonly link: string;
  readonly bar: string;
}

const light: Scheme = {
  ...{ page: "#ffffff", text: "#1c1e21", soft: "#5b6169", line: "#d9dce1", link: "#1f5fbf" },
  bar: "rgb(232 112 64 / .55)",
};
const dark: Scheme = {
  ...{ page: "#15171a", text: "#e6e8ea", soft: "#a3a9b1", line: "#383d44", link: "#7eb0ff" },
  bar: "rgb(176 74 32 / .55)",
};

const coloursOf = ({ page, text, soft, line, link, bar }: Scheme): string => `
body { background: ${page}; color: ${text}; }
.soft, figcaption, footer, .scale { color: ${soft}; }
a { color: ${link}; }
a:focus-visible { outline: 2px solid ${link}; outline-offset: 2px; }
section { border-top: 1px solid ${line}; }
.answers .bar { background: ${bar}; }`;

/** Light and dark by the reader's choice; readable down to the width of a phone. */
export const style = new Html(`
:root { color-scheme: light dark; }
${coloursOf(light)}
@media (prefers-color-scheme: dark) {${coloursOf(dark)}
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 84rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
section { padding: 1.5rem 0; }
figure { margin: 0 0 1rem; }
figcaption { font-size: .875rem; max-width: 44rem; }
img { max-width: 100%; height: auto; border-radius: 3px; vertical-align: top; }
.beside { display: flex; flex-wrap: wrap; gap: 2rem; }
.reasons figure { flex: 1 1 28rem; max-width: 58rem; }
.answers { flex: 1 1 18rem; max-width: 36rem; list-style: none; margin: 0; padding: 0; }
.answers li { position: relative; display: flex; justify-content: space-between; gap: 1rem; padding: .35rem .6rem; margin-bottom: 3px; }
.answers span { position: relative; }
.answers .bar { position: absolute; inset: 0 auto 0 0; border-radius: 3px; }
.answers .name { overflow-wrap: anywhere; }
.scale { display: flex; align-items: center; gap: .75rem; font-size: .875rem; }
.scale i { width: min(14rem, 25vw); height: 14px; border-radius: 3px; }
.cold { background: ${gradient(-1, 0)}; }
.warm { background: ${gradient(0, 1)}; }
.sheet { display: block; }
footer { padding-bottom: 2rem; font-size: .875rem; }
`);
