// A convolution's input as a matrix, so that it becomes a product of matrices, and the way back for gradients.
// x: (samples, HEIGHT, WIDTH, CHANNELS), of which one group's GROUP channels from `first` on are taken.
// columns: (samples * OUT_HEIGHT * OUT_WIDTH, SIZE * SIZE * GROUP), zeros where a window reaches over the edge.
// VECTOR divides GROUP: channels a thread.
#include "numbers.cuh"

#define VECTORS (GROUP / VECTOR)

extern "C" __global__ void spread(const number* __restrict__ x, number* __restrict__ columns, int first, int samples) {
  long long index = threadIndex();
  if (index >= (long long)samples * OUT_HEIGHT * OUT_WIDTH * SIZE * SIZE * VECTORS) return;
  int channel = (int)(index % VECTORS) * VECTOR;
  int tap = (int)(index / VECTORS % (SIZE * SIZE));
  long long pixel = index / VECTORS / (SIZE * SIZE);
  int row = (int)(pixel / OUT_WIDTH % OUT_HEIGHT) * STRIDE - PADDING + tap / SIZE;
  int column = (int)(pixel % OUT_WIDTH) * STRIDE - PADDING + tap % SIZE;
  long long sample = pixel / OUT_WIDTH / OUT_HEIGHT;
  Pack<number, VECTOR> values = {};
  if (row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH)
    values = *reinterpret_cast<const Pack<number, VECTOR>*>(
        x + ((sample * HEIGHT + row) * WIDTH + column) * CHANNELS + first + channel);
  *reinterpret_cast<Pack<number, VECTOR>*>(columns + index * VECTOR) = values;
}

// dx of one group: the sum of all that was spread from each value.
extern "C" __global__ void gather(const number* __restrict__ columns, number* __restrict__ dx, int first,
                                  int samples) {
  long long index = threadIndex();
  if (index >= (long long)samples * HEIGHT * WIDTH * VECTORS) return;
  int channel = (int)(index % VECTORS) * VECTOR;
  long long place = index / VECTORS;
  int row = (int)(place / WIDTH % HEIGHT) + PADDING, column = (int)(place % WIDTH) + PADDING;
  long long sample = place / WIDTH / HEIGHT;
  float sum[VECTOR] = {};
  for (int r = row % STRIDE; r < SIZE && r <= row; r += STRIDE) {
    int outRow = (row - r) / STRIDE;
    if (outRow >= OUT_HEIGHT) continue;
    for (int c = column % STRIDE; c < SIZE && c <= column; c += STRIDE) {
      int outColumn = (column - c) / STRIDE;
      if (outColumn >= OUT_WIDTH) continue;
      long long pixel = (sample * OUT_HEIGHT + outRow) * OUT_WIDTH + outColumn;
      float values[VECTOR];
      load(columns + ((pixel * SIZE + r) * SIZE + c) * GROUP + channel, values);
#pragma unroll
      for (int i = 0; i < VECTOR; i++) sum[i] += values[i];
    }
  }
  store(dx + place * CHANNELS + first + channel, sum);
}
