import { AlexnetError } from "../../errors.js";
import type { AlgorithmChoices } from "../engine.js";
import { type Block, placeBlocks } from "../program/blocks.js";
import { type OperationInfo, OperationList, type Phase } from "../program/operations.js";
import type { Algorithm, Dispatch, Prepared, Tensor } from "./dispatch.js";
import type { Gpu } from "./gpu.js";

/** Every block begins at a multiple of this, in bytes: where any adapter lets a binding begin. */
const ALIGNMENT = 256;

export interface PreparedOperation extends OperationInfo {
  readonly phase: Phase;
  readonly bucket: number;
  readonly bytes: number;
  readonly implementation: string;
  readonly dispatches: readonly Prepared[];
}

interface Work {
  readonly algorithms: readonly Algorithm[];
  /** What its algorithms are told apart by, from one program to the next. */
  readonly shape: string;
}

/**
 * Puts a program together: operations in the order they will run, and the memory between them. After `finish` nothing
 * is allocated any more. All blocks lie in one buffer, or where the adapter has none so large, in as few as can be; that
 * is why shaders bind everything for reading and writing: a buffer can't be bound both ways at once.
 */
export class Build {
  readonly #list = new OperationList<Tensor, Work>(ALIGNMENT);
  readonly #blocks: Block[] = [];
  readonly #constants: { readonly tensor: Tensor; readonly values: Uint32Array | Float32Array }[] = [];
  readonly #chosen: Record<string, string> = {};
  readonly #buffers = new Map<Block, GPUBuffer>();
  #all: readonly GPUBuffer[] = [];
  #bytes = 0;

  /** @param given by layer and direction, the algorithms to take whatever is quickest */
  constructor(
    readonly gpu: Gpu,
    readonly given: AlgorithmChoices = {},
  ) {}

  tensor(length: number, { kept = false } = {}): Tensor {
    return this.append(this.block(kept), length);
  }

  /** An empty block; `append` makes it grow. */
  block(kept: boolean): Block {
    const block = this.#list.block(kept);
    this.#blocks.push(block);
    return block;
  }

  /** A tensor at the end of `block`. */
  append(block: Block, length: number): Tensor {
    return { block, offset: this.#list.extend(block, 4 * length), bytes: 4 * length, length };
  }

  /** Numbers that never change. */
  constant(values: Uint32Array | Float32Array): Tensor {
    const tensor = this.tensor(values.length, { kept: true });
    this.#constants.push({ tensor, values });
    return tensor;
  }

  /** Operations that are added from now on belong to this phase. */
  readonly begin = (phase: Phase, bucket?: number): void => this.#list.begin(phase, bucket);

  add(info: OperationInfo, implementation: string, dispatches: readonly Dispatch[]): void {
    this.addQuickest(info, "", [{ implementation, dispatches }]);
  }

  /** Adds an operation for which there are several algorithms: the quickest is found by measuring. */
  addQuickest(info: OperationInfo, shape: string, algorithms: readonly Algorithm[]): void {
    const bound = algorithms.flatMap(({ dispatches }) => dispatches.flatMap(({ bindings }) => Object.values(bindings)));
    const distinct = new Map(bound.map((tensor) => [`${this.#blocks.indexOf(tensor.block)} ${tensor.offset}`, tensor]));
    this.#list.add(info, [...distinct.values()], { algorithms, shape });
  }

  /**
   * Items (a batch's samples, a matrix's rows) in parts, so that no tensor's part is larger than what can be bound, and no
   * dispatch takes too long; every part begins where a binding may.
   * @param volumes values an item, of each tensor
   * @param flops floating-point operations an item
   */
  parts(layer: string, items: number, volumes: readonly number[], flops = 0): readonly Range[] {
    const { bindingBytes, dispatchFlops } = this.gpu.limits;
    const unit = Math.max(...volumes.map(itemsToAlign));
    const fits = Math.floor(bindingBytes / (4 * Math.max(...volumes)));
    const soon = Math.max(unit, Math.floor(dispatchFlops / Math.max(flops, 1)));
    const most = fits >= items && soon >= items ? items : Math.floor(Math.min(fits, soon) / unit) * unit;
    if (most === 0)
      throw new AlexnetError(
        "memory",
        `${layer}: ${Math.min(unit, items)} times ${Math.max(...volumes)} values are more than the ${bindingBytes} bytes that ${this.gpu.facts.name} binds at once`,
        { hint: { advice: "give a smaller batch", option: "batchSize" } },
      );
    return Array.from({ length: Math.ceil(items / most) }, (_, i) => ({
      first: i * most,
      count: Math.min(most, items - i * most),
    }));
  }

  get planned() {
    return this.#list.planned;
  }

  /** By layer and direction, which of several algorithms was taken; after `finish`. */
  get algorithms(): AlgorithmChoices {
    return this.#chosen;
  }

  get memoryBytes(): number {
    return this.#bytes;
  }

  /** The bytes that `finish` would allocate for what was added so far. */
  estimateBytes(): number {
    return this.#arenas().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Places all tensors, allocates, compiles the shaders and chooses between algorithms. */
  async finish(): Promise<readonly PreparedOperation[]> {
    const { gpu } = this;
    for (const { blocks, bytes } of this.#arenas()) {
      const buffer = await gpu.allocate(bytes);
      this.#all = [...this.#all, buffer];
      this.#bytes += bytes;
      for (const block of blocks) this.#buffers.set(block, buffer);
    }
    for (const { tensor, values } of this.#constants) this.write(tensor, values);
    const operations: PreparedOperation[] = [];
    // Compiled side by side, chosen between one after the other: measuring wants the device for itself.
    const prepared = this.#list.planned.map(({ work, ...operation }) => {
      const label = `${operation.layer} ${operation.direction}`;
      const known = gpu.tuning.known(work.shape, work.algorithms, this.given[label]);
      const candidates = known === undefined ? work.algorithms : [known];
      return { operation, work, label, candidates, ready: candidates.map((each) => this.#prepare(each, label)) };
    });
    await Promise.allSettled(prepared.flatMap(({ ready }) => ready));
    for (const { operation, work, label, ready } of prepared) {
      gpu.doing = label;
      const chosen = await gpu.tuning.choose(work.shape, operation.flops ?? 0, await Promise.all(ready));
      if (work.algorithms.length > 1) this.#chosen[label] = chosen.implementation;
      operations.push({ ...operation, ...chosen });
    }
    gpu.doing = "";
    gpu.check();
    return operations;
  }

  /** Where a tensor lies; after `finish`. */
  place({ block, offset }: Tensor): { readonly buffer: GPUBuffer; readonly offset: number } {
    const buffer = this.#buffers.get(block);
    if (buffer === undefined) throw new Error("finish() allocates; call it first");
    return { buffer, offset: block.offset + offset };
  }

  /** Overwrites a tensor, or its first values. */
  write(tensor: Tensor, values: Uint32Array | Float32Array): void {
    const { buffer, offset } = this.place(tensor);
    // Dawn's binding reads beyond views of shared memory.
    const { buffer: memory, byteOffset, byteLength } = values.buffer instanceof ArrayBuffer ? values : values.slice();
    this.gpu.device.queue.writeBuffer(buffer, offset, memory as ArrayBuffer, byteOffset, byteLength);
  }

  /** A tensor's values, once all that was asked for before is done. */
  async read(tensor: Tensor): Promise<Float32Array> {
    const { buffer, offset } = this.place(tensor);
    return new Float32Array(await this.gpu.read(buffer, offset, tensor.bytes));
  }

  close(): void {
    for (const buffer of this.#all) buffer.destroy();
    this.#all = [];
    this.#buffers.clear();
  }

  async #prepare({ implementation, dispatches }: Algorithm, label: string) {
    const { gpu } = this;
    const ready = dispatches.map(async ({ bindings, formats = {}, code, workgroups }): Promise<Prepared> => {
      const named = Object.entries(bindings);
      const declared = named.map(
        ([name], i) => `@group(0) @binding(${i}) var<storage, read_write> ${name}: array<${formats[name] ?? "f32"}>;`,
      );
      const pipeline = await gpu.pipeline([...declared, code].join("\n"), label);
      const entries = named.map(([, tensor], binding) => ({
        binding,
        resource: { ...this.place(tensor), size: tensor.bytes },
      }));
      return {
        pipeline,
        workgroups,
        group: gpu.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
      };
    });
    return { implementation, dispatches: await Promise.all(ready) };
  }

  /** The blocks of each buffer, placed in it. */
  #arenas(): readonly { readonly blocks: readonly Block[]; readonly bytes: number }[] {
    const { bufferBytes } = this.gpu.limits;
    const total = this.#list.place();
    if (total <= bufferBytes) return [{ blocks: this.#blocks, bytes: total }];
    const arenas: Block[][] = [];
    for (const block of [...this.#blocks].sort((a, b) => b.bytes - a.bytes)) {
      if (block.bytes > bufferBytes)
        throw new AlexnetError(
          "memory",
          `webgpu: ${block.bytes} bytes in one piece are more than ${this.gpu.facts.name} has in a buffer (${bufferBytes})`,
          { hint: { advice: "give a smaller batch", option: "batchSize" } },
        );
      const arena = arenas.find((blocks) => placeBlocks([...blocks, block], ALIGNMENT) <= bufferBytes);
      if (arena === undefined) arenas.push([block]);
      else arena.push(block);
    }
    return arenas.map((blocks) => ({ blocks, bytes: placeBlocks(blocks, ALIGNMENT) }));
  }
}

/** Some of a batch's samples, or of a matrix's rows. */
export interface Range {
  readonly first: number;
  readonly count: number;
}

/** The values from `first` on. */
export function slice(tensor: Tensor, first: number, length: number): Tensor {
  return { block: tensor.block, offset: tensor.offset + 4 * first, bytes: 4 * length, length };
}

/** The items of a tensor with so many values each. */
export function partOf(tensor: Tensor, { first, count }: Range, volume: number): Tensor {
  return slice(tensor, first * volume, count * volume);
}

/** The fewest items that take a multiple of the alignment. */
function itemsToAlign(volume: number): number {
  let samples = 1;
  while ((4 * samples * volume) % ALIGNMENT !== 0) samples *= 2;
  return samples;
}
