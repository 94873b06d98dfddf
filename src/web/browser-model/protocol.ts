/** What the page asks of the worker that computes in the browser, and what it answers; `id` says to which question. */
export type Request =
  | { readonly kind: "load"; readonly id: number; readonly model: string; readonly description: string }
  | { readonly kind: "classify"; readonly id: number; readonly file: Blob; readonly views: number };

export type Answer =
  | { readonly kind: "progress"; readonly id: number; readonly done: number; readonly total: number }
  | { readonly kind: "loaded"; readonly id: number; readonly classes: readonly string[]; readonly threads: number }
  | {
      readonly kind: "classified";
      readonly id: number;
      readonly probabilities: Float64Array;
      readonly milliseconds: number;
    }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
