import { api, ask, getJson, post } from "./client.js";

/** One of a run's settings, as the table of settings has it: a form's field follows from it. */
export interface SettingRow {
  readonly name: string;
  readonly group: string;
  /** The group's heading. */
  readonly heading: string;
  readonly help: string;
  /** What kind of field it needs. */
  readonly kind: "text" | "number" | "whole" | "switch" | "choice";
  /** Of a choice; of a text, names that are known. */
  readonly choices?: readonly string[];
  readonly low?: number;
  readonly high?: number;
  readonly default?: string | number | boolean | null;
}

/** A folder of this machine, and what is in it. */
export interface FolderListing {
  readonly path: string;
  /** null at the top. */
  readonly parent: string | null;
  readonly folders: readonly { readonly name: string; readonly path: string }[];
  /** Pictures that lie in the folder itself. */
  readonly pictures: number;
}

/** What training would find in a folder. */
export interface FolderPreview {
  readonly path: string;
  readonly classes: readonly { readonly name: string; readonly pictures: number }[];
  readonly pictures: number;
  /** What is odd about it, in whole sentences. */
  readonly warnings: readonly string[];
  /** A data URI: some pictures of each class. */
  readonly sheet?: string;
}

/** What a run would take on this machine. */
export interface Estimate {
  readonly network: string;
  readonly recipe: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly parameters: number;
  readonly memoryBytes: number;
  readonly freeBytes: number;
  readonly picturesPerSecond: number;
  /** Of all epochs. */
  readonly seconds: number;
}

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
