import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Html, html, jsonScript } from "../drawing/markup.js";
import type { ReportData } from "./data.js";

/** A whole HTML document that needs nothing else: it may not even ask for it. */
export function page(data: ReportData): string {
  const script = built("report.js");
  const style = built("report.css");
  const policy = `default-src 'none'; img-src data: blob:; style-src ${hashOf(style)}; script-src ${hashOf(script)}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="generator" content="alexnet ${data.version}">
<title>${data.title}: AlexNet report</title>
<style>${new Html(style)}</style>
</head>
<body>
<div id="page"><noscript>This page draws itself with JavaScript, which is switched off here.</noscript></div>
${jsonScript("data", data)}
<script>${new Html(script)}</script>
</body>
</html>
`.text;
}

/** The report's part of the browser's pages, as src/web/build.js made it. */
function built(name: string): string {
  return readFileSync(new URL(`../web/report/${name}`, import.meta.url), "utf8").trim();
}

/** What a page's policy must name for an inline script or style to count. */
function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
