import { openEngine } from "../../dist/engine/open.js";
import { paper } from "../../dist/network/paper.js";
import { scaleWidth } from "../../dist/network/transform.js";

/** What the stages share. */

export function networkOf({ width }) {
  return scaleWidth(paper, width);
}

export async function withCuda(precision, use) {
  const engine = await openEngine("cuda", { precision });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

export function table(heads, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}
