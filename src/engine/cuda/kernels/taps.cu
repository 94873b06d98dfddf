// Filters over squares of pixels have taps that no pixel of the true filter has (see input.cu): they stay 0.
// dw: (filters, BLOCK_TAPS, BLOCK_TAPS, BLOCK, BLOCK, 3) of filters of SIZE x SIZE pixels.
#include "numbers.cuh"

extern "C" __global__ void clear(float* __restrict__ dw, int filters) {
  long long index = threadIndex();
  if (index >= (long long)filters * BLOCK_TAPS * BLOCK_TAPS * BLOCK * BLOCK * 3) return;
  int column = (int)(index / 3 % BLOCK), row = (int)(index / 3 / BLOCK % BLOCK);
  int right = (int)(index / 3 / BLOCK / BLOCK % BLOCK_TAPS), down = (int)(index / 3 / BLOCK / BLOCK / BLOCK_TAPS % BLOCK_TAPS);
  if (down * BLOCK + row >= SIZE || right * BLOCK + column >= SIZE) dw[index] = 0.0f;
}
