import type { StoredTensors } from "../../model/model.js";
import type { Network } from "../../network/network.js";

/** Named tensors in an open file, as PyTorch's modules have them. */
export interface StateDict {
  readonly tensors: StoredTensors;
  /** Why entries that are no tensors that can be read are left out of `tensors`, by their names. */
  readonly unread: ReadonlyMap<string, string>;
  /** The model's description where this project wrote the file: see model/description.ts. */
  readonly description: string | undefined;
  /**
   * Where the file says what it computes: whether that is what the network does.
   * @param nameOf the file's name of a layer's weights
   * @throws AlexnetError "unsupported" naming the difference
   */
  readonly checkProgram?: (network: Network, nameOf: (layer: string) => string) => void;
  /** Ends reading; the tensors' values can't be had afterwards. */
  close(): void;
}
