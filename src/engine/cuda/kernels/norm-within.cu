// Response normalisation over windows of places within one map: networks that need it are rare, speed matters little.
// x, y, dy, dx: (samples, HEIGHT, WIDTH, CHANNELS).
#include "numbers.cuh"

__device__ float divisor(const number* sample, int row, int column, int channel) {
  float sum = 0.0f;
  for (int r = max(0, row - RADIUS); r <= min(HEIGHT - 1, row + RADIUS); r++)
    for (int c = max(0, column - RADIUS); c <= min(WIDTH - 1, column + RADIUS); c++) {
      float value = wide(sample[(r * WIDTH + c) * CHANNELS + channel]);
      sum += value * value;
    }
  return K + ALPHA * sum;
}

struct Position {
  long long index, sample;  // of the value; of the first value of its sample
  int row, column, channel;
};

__device__ __forceinline__ Position position(long long index) {
  int within = (int)(index % (HEIGHT * WIDTH * CHANNELS));
  return {index, index - within, within / CHANNELS / WIDTH, within / CHANNELS % WIDTH, within % CHANNELS};
}

extern "C" __global__ void forward(const number* __restrict__ x, number* __restrict__ y, int samples) {
  long long index = threadIndex();
  if (index >= (long long)samples * HEIGHT * WIDTH * CHANNELS) return;
  Position at = position(index);
  put(y[index], wide(x[index]) * powf(divisor(x + at.sample, at.row, at.column, at.channel), -BETA));
}

extern "C" __global__ void backward(const number* __restrict__ x, const number* __restrict__ dy,
                                    number* __restrict__ dx, int samples) {
  long long index = threadIndex();
  if (index >= (long long)samples * HEIGHT * WIDTH * CHANNELS) return;
  Position at = position(index);
  float sum = 0.0f;
  for (int r = max(0, at.row - RADIUS); r <= min(HEIGHT - 1, at.row + RADIUS); r++)
    for (int c = max(0, at.column - RADIUS); c <= min(WIDTH - 1, at.column + RADIUS); c++) {
      long long other = at.sample + (r * WIDTH + c) * CHANNELS + at.channel;
      sum += wide(dy[other]) * wide(x[other]) * powf(divisor(x + at.sample, r, c, at.channel), -BETA - 1.0f);
    }
  float own = powf(divisor(x + at.sample, at.row, at.column, at.channel), -BETA);
  put(dx[index], wide(dy[index]) * own - 2.0f * ALPHA * BETA * wide(x[index]) * sum);
}
