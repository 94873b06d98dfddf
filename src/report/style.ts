import { chartStyle } from "../drawing/chart.js";

const series = ["one", "two", "three"].map((name) => `var(--${name})`);

/** Light and dark by the reader's choice; readable down to the width of a phone. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --raised: #f4f5f7; --text: #1c1e21; --soft: #5b6169; --line: #d9dce1;
  --one: #1f5fbf; --two: #c2570c; --three: #3f7d3a; --wrong: #b3261e; --right: #2b6f2b;
  --hit: 76 160 90; --miss: 232 112 64;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --raised: #1f2226; --text: #e6e8ea; --soft: #a3a9b1; --line: #383d44;
    --one: #7eb0ff; --two: #ffa45c; --three: #8fce88; --wrong: #ff9389; --right: #8fce88;
    --hit: 58 125 70; --miss: 176 74 32;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 0 0 .5rem; }
p { max-width: 44rem; margin: .5rem 0; }
.soft, .hint, footer { color: var(--soft); }
a { color: var(--one); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
section { padding: 1.5rem 0; border-top: 1px solid var(--line); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; padding: 0; margin: 1rem 0; list-style: none; }
.tiles li { background: var(--raised); border-radius: .5rem; padding: .75rem; }
.tiles strong { display: block; font-size: 1.5rem; line-height: 1.2; }
.tiles span { color: var(--soft); font-size: .875rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
figure { margin: 0; }
.chart { max-width: 34rem; }
.chart > svg { display: block; width: 100%; height: auto; }
${chartStyle({ text: "var(--soft)", grid: "var(--line)", series })}
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .25rem 0 0; padding: 0 0 0 .5rem; list-style: none; font-size: .875rem; }
.legend svg { width: 24px; height: 8px; margin-right: .4rem; }
.bars rect { fill: var(--one); }
.ideal { stroke: var(--text); stroke-width: 1.5; stroke-dasharray: 4 4; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
tbody th, th:first-child, .text { text-align: left; }
tbody th { font-weight: 500; }
button { font: inherit; color: inherit; background: none; border: 0; padding: .25rem; cursor: pointer; }
button:focus-visible, a:focus-visible, summary:focus-visible { outline: 2px solid var(--one); outline-offset: 1px; }
td > button { min-width: 1.5rem; min-height: 1.5rem; text-decoration: underline dotted; }
.sortable th > button { font-weight: inherit; padding: 0; }
[aria-sort="ascending"] > button::after { content: " \\2191"; }
[aria-sort="descending"] > button::after { content: " \\2193"; }
.matrix th, .matrix td { padding: 0; border: 1px solid var(--line); }
.matrix tbody th { padding: 0 .5rem; position: sticky; left: 0; background: var(--page); max-width: 11rem; overflow: hidden; text-overflow: ellipsis; }
.matrix thead td { border: 0; }
.matrix thead th span { display: block; writing-mode: vertical-rl; transform: rotate(180deg); padding: .4rem .2rem; max-height: 11rem; overflow: hidden; text-overflow: ellipsis; margin: 0 auto; }
.matrix td { min-width: 2rem; text-align: center; }
.matrix td > button { width: 100%; min-height: 2rem; text-decoration: none; }
.matrix .hit { background: rgb(var(--hit) / calc(.15 + .6 * var(--share))); }
.matrix .miss { background: rgb(var(--miss) / calc(.15 + .7 * var(--share))); }
.matrix [aria-pressed="true"] { outline: 3px solid var(--text); outline-offset: -3px; }
#cell { min-height: 4rem; padding: .75rem 0; }
#cell h3 { font-size: 1rem; margin: 0 0 .5rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(110px, 1fr)); gap: .75rem; padding: 0; margin: .75rem 0; list-style: none; }
.pictures img { width: 100%; }
.pictures figcaption { font-size: .8125rem; line-height: 1.35; overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; background: var(--raised); border-radius: 3px; }
.wrong { color: var(--wrong); font-weight: 600; }
.right { color: var(--right); font-weight: 600; }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 13.5rem), 1fr)); gap: 1.25rem; padding: 0; list-style: none; }
.examples figcaption { font-weight: 600; overflow-wrap: anywhere; }
.examples ol { list-style: none; padding: 0; margin: .25rem 0 0; font-size: .8125rem; }
.examples ol li { position: relative; display: flex; justify-content: space-between; gap: .5rem; padding: .1rem .35rem; margin-bottom: 2px; }
.examples .bar { position: absolute; inset: 0 auto 0 0; border-radius: 2px; background: rgb(var(--miss) / .45); }
.examples .hit .bar { background: rgb(var(--hit) / .55); }
.examples .name, .examples .share { position: relative; }
.examples .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.examples .hit .name::after { content: " \\2713"; }
.filters { image-rendering: pixelated; width: 36rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: .25rem 1.5rem; margin: .75rem 0; }
dl div { display: flex; justify-content: space-between; gap: 1rem; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); } dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
details { margin: .75rem 0; } summary { cursor: pointer; }
pre { overflow-x: auto; background: var(--raised); padding: .75rem; border-radius: .5rem; font-size: .8125rem; }
footer { padding-bottom: 2rem; font-size: .875rem; }
@media print { nav, .hint { display: none; } }
`;
