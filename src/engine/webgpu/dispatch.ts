import type { Block } from "../program/blocks.js";

/** A program is dispatches over tensors: what they are before and after shaders are compiled. */

/** The numbers that a shader reads. */
export type Format = "f32" | "u32" | "vec4<u32>" | "vec4<f32>";

/** Numbers on the device. */
export interface Tensor {
  readonly block: Block;
  /** Bytes from the block's start. */
  readonly offset: number;
  readonly bytes: number;
  /** Of 4 bytes. */
  readonly length: number;
}

/** One shader over some tensors. */
export interface Dispatch {
  /** By the name that the shader has for it. A tensor is bound once. */
  readonly bindings: Readonly<Record<string, Tensor>>;
  /** How the shader reads those that are not of f32. */
  readonly formats?: Readonly<Record<string, Format>>;
  /** WGSL; its entry is `main`. */
  readonly code: string;
  readonly workgroups: Workgroups;
}

export type Workgroups = readonly [x: number, y: number, z: number];

/** One of several ways to carry out an operation. */
export interface Algorithm {
  /** "tiles of 64x64" */
  readonly implementation: string;
  readonly dispatches: readonly Dispatch[];
}

/** What puts one dispatch on a pass. */
export interface Prepared {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: Workgroups;
}
