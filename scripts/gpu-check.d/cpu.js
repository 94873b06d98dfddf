import { trainAll } from "./training.js";

/** The CPU engine's side of the training comparison. */
export default function cpu(context) {
  return trainAll(context, [["onednn", "float32"]]);
}
