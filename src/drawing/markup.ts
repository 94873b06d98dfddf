import { escapeMarkup } from "../text.js";

/** Text that is HTML already; all other text is escaped where it is put into HTML. */
export class Html {
  constructor(readonly text: string) {}
}

export type HtmlValue = Html | string | number | undefined | readonly HtmlValue[];

/**
 * html`<p>${text}</p>`: what is put in is escaped unless it is HTML itself; lists are joined, undefined is nothing.
 * It makes SVG too: control characters, which XML forbids, are left out.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.reduce((text, part, i) => text + render(values[i - 1]) + part));
}

const forbidden = /[^\P{Cc}\t\n\r]|[\uFFFE\uFFFF]/gu;

function render(value: HtmlValue): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "string" || typeof value === "number")
    return escapeMarkup(String(value).replaceAll(forbidden, ""));
  return value.map(render).join("");
}

/** A value for a script to read: `<script type="application/json" id="…">`. */
export function jsonScript(id: string, value: unknown): Html {
  const json = new Html(JSON.stringify(value).replaceAll("<", "\\u003c"));
  return html`<script type="application/json" id="${id}">${json}</script>`;
}
