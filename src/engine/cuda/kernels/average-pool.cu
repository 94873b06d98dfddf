// The mean of each window of SIZE x SIZE places of a map, STRIDE apart.
// x, dx: (samples, HEIGHT, WIDTH, CHANNELS); y, dy: (samples, OUT_HEIGHT, OUT_WIDTH, CHANNELS).
#include "numbers.cuh"

#define SHARE (1.0f / (SIZE * SIZE))

extern "C" __global__ void forward(const number* __restrict__ x, number* __restrict__ y, int samples) {
  long long index = threadIndex();
  if (index >= (long long)samples * OUT_HEIGHT * OUT_WIDTH * CHANNELS) return;
  int channel = (int)(index % CHANNELS);
  long long pixel = index / CHANNELS;
  int column = (int)(pixel % OUT_WIDTH), row = (int)(pixel / OUT_WIDTH % OUT_HEIGHT);
  long long sample = pixel / OUT_WIDTH / OUT_HEIGHT;
  float sum = 0.0f;
  for (int r = row * STRIDE; r < row * STRIDE + SIZE; r++)
    for (int c = column * STRIDE; c < column * STRIDE + SIZE; c++)
      sum += wide(x[((sample * HEIGHT + r) * WIDTH + c) * CHANNELS + channel]);
  put(y[index], sum * SHARE);
}

// Sums over the windows that a place is in.
extern "C" __global__ void backward(const number* __restrict__ dy, number* __restrict__ dx, int samples) {
  long long index = threadIndex();
  if (index >= (long long)samples * HEIGHT * WIDTH * CHANNELS) return;
  int channel = (int)(index % CHANNELS);
  long long pixel = index / CHANNELS;
  int column = (int)(pixel % WIDTH), row = (int)(pixel / WIDTH % HEIGHT);
  long long sample = pixel / WIDTH / HEIGHT;
  int top = row < SIZE ? 0 : (row - SIZE) / STRIDE + 1, left = column < SIZE ? 0 : (column - SIZE) / STRIDE + 1;
  float sum = 0.0f;
  for (int r = top; r <= row / STRIDE && r < OUT_HEIGHT; r++)
    for (int c = left; c <= column / STRIDE && c < OUT_WIDTH; c++)
      sum += wide(dy[((sample * OUT_HEIGHT + r) * OUT_WIDTH + c) * CHANNELS + channel]);
  put(dx[index], sum * SHARE);
}
