/** Every block of device memory begins at a multiple of this, in bytes. */
export const ALIGNMENT = 256;

/** Memory that is needed from the first operation that touches it to the last. */
export interface Block {
  bytes: number;
  first: number;
  last: number;
  /** Needed for the program's whole life. */
  kept: boolean;
  /** Where `place` puts it. */
  offset: number;
}

/**
 * Gives each block its offset, so that blocks whose lives don't meet may share memory: largest first, each at the
 * lowest place that is free for its whole life. Returns the bytes of all.
 */
export function place(blocks: readonly Block[]): number {
  const placed: Block[] = []; // by offset
  let total = 0;
  for (const block of [...blocks].sort((a, b) => b.bytes - a.bytes)) {
    block.offset = lowestGap(block, placed);
    const index = placed.findIndex(({ offset }) => offset > block.offset);
    placed.splice(index === -1 ? placed.length : index, 0, block);
    total = Math.max(total, align(block.offset + block.bytes));
  }
  return total;
}

function lowestGap(block: Block, placed: readonly Block[]): number {
  let offset = 0;
  for (const other of placed) {
    if (!livesMeet(block, other)) continue;
    if (offset + block.bytes <= other.offset) break;
    offset = Math.max(offset, align(other.offset + other.bytes));
  }
  return offset;
}

function livesMeet(a: Block, b: Block): boolean {
  return a.kept || b.kept || (a.first <= b.last && b.first <= a.last);
}

export function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
