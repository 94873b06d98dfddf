import type { Estimate, FolderListing, FolderPreview, SettingRow } from "../../server/api-types.js";
import { api, ask, getJson, post } from "./client.js";

export type { Estimate, FolderListing, FolderPreview, SettingRow } from "../../server/api-types.js";

export type Values = Readonly<Record<string, string | number | boolean>>;

export function settingRows(signal: AbortSignal): Promise<readonly SettingRow[]> {
  return getJson(api("settings"), { signal });
}

export function listFolder(path: string | undefined, signal: AbortSignal): Promise<FolderListing> {
  const query = path === undefined ? "" : `?path=${encodeURIComponent(path)}`;
  return getJson(`${api("folders")}${query}`, { signal });
}

export function previewFolder(path: string, signal: AbortSignal): Promise<FolderPreview> {
  return getJson(`${api("folders", "preview")}?path=${encodeURIComponent(path)}`, { signal });
}

export function estimate(data: string, settings: Values, signal: AbortSignal): Promise<Estimate> {
  return post(api("estimate"), { data, settings }, { signal });
}

export function startRun(data: string, name: string, settings: Values): Promise<{ readonly id: string }> {
  return post(api("start"), { data, name, settings });
}

/** Puts a picture into a class of a set that is made of what is dropped here. @returns the set's folder */
export async function addPicture(set: string, label: string, picture: File): Promise<{ readonly path: string }> {
  const query = new URLSearchParams({ class: label, name: picture.name });
  const headers = { "content-type": picture.type || "application/octet-stream" };
  const answer = await ask(`${api("sets", set)}?${query}`, { method: "POST", headers, body: picture });
  return (await answer.json()) as { path: string };
}
