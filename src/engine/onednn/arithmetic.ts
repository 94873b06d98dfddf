/** How numbers are stored; "byte" also for memory whose contents are the library's own. */
export type NumberType = "float32" | "bfloat16" | "byte";

/** What a program computes with. */
export interface Arithmetic {
  /** Of activations, their gradients and the weights in products; all else is float32. */
  readonly type: NumberType;
  /**
   * Whether max-pool's gradients are added in float32 where they meet. oneDNN added those of bfloat16 in bfloat16 before
   * 2025.
   */
  readonly poolsExactly: boolean;
}

export const float32: Arithmetic = { type: "float32", poolsExactly: true };
