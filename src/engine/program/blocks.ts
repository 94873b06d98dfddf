/**
 * Memory that is needed from the first operation that touches it to the last. A program's blocks lie in one arena;
 * blocks whose lives don't meet may share its memory:
 *
 *     operation   0   1   2   3   4
 *     a           xxxxxxxxx                 a and c may lie at the same place,
 *     b               xxxxxxxxxxxxx         b lies beside both
 *     c                       xxxxx
 */
export interface Block {
  bytes: number;
  /** The first and the last operation that touch it. */
  first: number;
  last: number;
  /** Needed for the program's whole life: parameters, and what is read or written between steps. */
  kept: boolean;
  /** Bytes from the arena's start; `placeBlocks` sets it. */
  offset: number;
}

/** A block that no operation has touched yet. */
export function emptyBlock(kept: boolean): Block {
  return { bytes: 0, first: Number.POSITIVE_INFINITY, last: -1, kept, offset: 0 };
}

/** Lengthens the block's life to meet `operation`. */
export function touch(block: Block, operation: number): void {
  block.first = Math.min(block.first, operation);
  block.last = Math.max(block.last, operation);
}

export function align(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** Whether both blocks are needed at some time. */
export function livesMeet(a: Block, b: Block): boolean {
  return a.kept || b.kept || (a.first <= b.last && b.first <= a.last);
}

/** The orders that are tried: the largest first; what is kept first, then what lives longest. */
const orders: readonly ((a: Block, b: Block) => number)[] = [
  (a, b) => b.bytes - a.bytes,
  (a, b) => Number(b.kept) - Number(a.kept) || b.last - a.last || b.bytes - a.bytes,
];

/**
 * Gives each block its offset, in the order that takes the least memory.
 * @param alignment every block begins at a multiple of it, in bytes
 * @returns the bytes of all
 */
export function placeBlocks(blocks: readonly Block[], alignment: number): number {
  const totals = orders.map((order) => placeInOrder([...blocks].sort(order), alignment));
  const best = orders[totals.indexOf(Math.min(...totals))];
  return placeInOrder([...blocks].sort(best), alignment);
}

/** Each at the lowest place that is free for its whole life, given those before it. */
function placeInOrder(blocks: readonly Block[], alignment: number): number {
  const placed: Block[] = []; // by offset: the first gap that is wide enough is the lowest
  let total = 0;
  for (const block of blocks) {
    block.offset = lowestGap(block, placed, alignment);
    const index = placed.findIndex(({ offset }) => offset > block.offset);
    placed.splice(index === -1 ? placed.length : index, 0, block);
    total = Math.max(total, align(block.offset + block.bytes, alignment));
  }
  return total;
}

function lowestGap(block: Block, placed: readonly Block[], alignment: number): number {
  let offset = 0;
  for (const other of placed) {
    if (!livesMeet(block, other)) continue;
    if (offset + block.bytes <= other.offset) break;
    offset = Math.max(offset, align(other.offset + other.bytes, alignment));
  }
  return offset;
}
