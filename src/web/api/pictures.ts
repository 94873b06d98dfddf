import type {
  Classified,
  Mark,
  Neighbour,
  RunEvaluation,
  ShownActivations,
  ShownOcclusion,
} from "../../server/api-types.js";
import type { Classifier } from "../classify/classifier.js";
import { api, ask, getJson, post } from "./client.js";

/** The server's network. */
export function openOnServer(id: string): Classifier {
  return {
    place: "on the server",
    classify: async (picture, views) => {
      const started = performance.now();
      const path = `${api("runs", id, "classify")}?views=${views}&top=5`;
      const { predictions } = await sendPicture<Classified>(path, picture);
      return { predictions, milliseconds: performance.now() - started };
    },
    close: () => undefined,
  };
}

export function sendPicture<T>(path: string, picture: Blob, signal?: AbortSignal): Promise<T> {
  const headers = { "content-type": picture.type || "application/octet-stream" };
  return getJson<T>(path, { method: "POST", headers, body: picture, signal });
}

export function evaluationOf(id: string, signal: AbortSignal): Promise<RunEvaluation> {
  return getJson(api("runs", id, "evaluation"), { signal });
}

export function pictureSource(id: string, n: string): string {
  return api("runs", id, "pictures", n);
}

export async function pictureOf(id: string, n: string): Promise<Blob> {
  return (await ask(pictureSource(id, n))).blob();
}

export function activationsOf(id: string, picture: Blob, signal: AbortSignal): Promise<ShownActivations> {
  return sendPicture(api("runs", id, "activations"), picture, signal);
}

export function occlusionOf(id: string, picture: Blob, signal: AbortSignal): Promise<ShownOcclusion> {
  return sendPicture(api("runs", id, "occlusion"), picture, signal);
}

export async function neighboursOf(id: string, picture: Blob, signal: AbortSignal): Promise<readonly Neighbour[]> {
  const path = api("runs", id, "neighbours");
  return (await sendPicture<{ neighbours: readonly Neighbour[] }>(path, picture, signal)).neighbours;
}

export async function marksOf(id: string, signal?: AbortSignal): Promise<readonly Mark[]> {
  return (await getJson<{ marks: readonly Mark[] }>(api("runs", id, "marks"), { signal })).marks;
}

export async function setMark(id: string, n: string, wrong: boolean): Promise<void> {
  await post(api("runs", id, "marks"), { n, wrong });
}
