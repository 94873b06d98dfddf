/// <reference lib="webworker" />

import scriptUrl from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import * as ort from "onnxruntime-web/wasm";
import { viewsOf } from "../../store/views.js";
import { decodeInBrowser } from "./decode.js";
import { type EncodedDescription, inputOf, type ModelDescription, readDescription } from "./description.js";
import type { Answer, Request } from "./protocol.js";

declare const self: DedicatedWorkerGlobalScope;

const MOST_THREADS = 8;

let loaded: { readonly session: ort.InferenceSession; readonly description: ModelDescription } | undefined;

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  try {
    answer(data.kind === "load" ? await load(data) : await classify(data));
  } catch (error) {
    answer({ kind: "failed", id: data.id, message: error instanceof Error ? error.message : String(error) });
  }
};

function answer(message: Answer): void {
  self.postMessage(message);
}

async function load({ id, model, description }: Extract<Request, { kind: "load" }>): Promise<Answer> {
  ort.env.wasm.wasmPaths = { mjs: absolute(scriptUrl), wasm: absolute(wasmUrl) };
  // Memory can be shared between threads only on a page that no other page can look into.
  const threads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
  ort.env.wasm.numThreads = threads;
  const encoded = (await (await get(description)).json()) as EncodedDescription;
  const bytes = await download(model, (done, total) => answer({ kind: "progress", id, done, total }));
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  loaded = { session, description: readDescription(encoded) };
  return { kind: "loaded", id, classes: loaded.description.classes, threads };
}

async function classify({ id, file, views: count }: Extract<Request, { kind: "classify" }>): Promise<Answer> {
  if (loaded === undefined) throw new Error("no network is loaded");
  const { session, description } = loaded;
  const { pictureSize, cropSize, classes } = description;
  const started = performance.now();
  const picture = await decodeInBrowser(file, pictureSize);
  const views = viewsOf(count, { pictureSize, cropSize });
  const input = new ort.Tensor("float32", inputOf(picture, views, description), [count, 3, cropSize, cropSize]);
  const { logits } = await session.run({ input });
  if (logits === undefined) throw new Error("the network's file has no output named logits");
  const probabilities = meanSoftmax(logits.data as Float32Array, classes.length);
  return { kind: "classified", id, probabilities, milliseconds: performance.now() - started };
}

/** Of (views, classes): the mean of the views' probabilities. */
function meanSoftmax(logits: Float32Array, classes: number): Float64Array {
  const mean = new Float64Array(classes);
  const views = logits.length / classes;
  for (let view = 0; view < views; view++) {
    const own = logits.subarray(view * classes, (view + 1) * classes);
    const highest = own.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const exponentials = Float64Array.from(own, (value) => Math.exp(value - highest));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    exponentials.forEach((value, i) => {
      mean[i] = (mean[i] ?? 0) + value / sum / views;
    });
  }
  return mean;
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answers ${response.status}`);
  return response;
}

async function download(url: string, tell: (done: number, total: number) => void): Promise<Uint8Array> {
  const response = await get(url);
  const total = Number(response.headers.get("content-length") ?? 0);
  if (response.body === null) return new Uint8Array(await response.arrayBuffer());
  const parts: Uint8Array[] = [];
  let done = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    done += part.value.length;
    tell(done, total);
  }
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function absolute(url: string): string {
  return new URL(url, self.location.href).href;
}
