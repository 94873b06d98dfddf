import type { StoredTensors } from "../../model/model.js";

/** Named tensors in an open file, as PyTorch's modules have them. */
export interface StateDict {
  readonly tensors: StoredTensors;
  /** The model's description where this project wrote the file: see model/description.ts. */
  readonly description: string | undefined;
  /** Ends reading; the tensors' values can't be had afterwards. */
  close(): void;
}
