import type { PaperDemo, PaperFigure } from "../../server/api-types.js";
import { api } from "./client.js";
import { sendPicture } from "./pictures.js";

/** What the engine makes of a picture for one of the paper's ideas. */
export async function paperFigures(
  demo: PaperDemo,
  picture: Blob,
  values: Readonly<Record<string, number | boolean>>,
  signal: AbortSignal,
): Promise<readonly PaperFigure[]> {
  const query = new URLSearchParams(Object.entries(values).map(([name, value]) => [name, String(value)]));
  const path = `${api("paper", demo)}?${query}`;
  return (await sendPicture<{ figures: readonly PaperFigure[] }>(path, picture, signal)).figures;
}
